-- Makes the login a member of a role, if it may.
GRANT :"role" TO app_user :options
