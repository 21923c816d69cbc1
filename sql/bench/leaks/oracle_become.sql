-- Becomes another role.
SET LOCAL ROLE :"role"
