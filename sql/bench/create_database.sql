-- A database of the owner's, as a fresh copy of another.
CREATE DATABASE :"name" OWNER :"owner" TEMPLATE :"template" :strategy
