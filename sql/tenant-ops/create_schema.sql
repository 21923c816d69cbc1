-- The schema of the book-keeping. Without IF NOT EXISTS, which would take over whatever somebody else made.
CREATE SCHEMA tenant_ops AUTHORIZATION :"owner"
