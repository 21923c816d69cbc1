-- Lets a login act as the auditor. From 16 on it does not inherit: policies TO a role apply to all that inherit it.
GRANT :"role" TO :"login" :options;
