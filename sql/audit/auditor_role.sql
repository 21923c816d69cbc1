-- A role that may audit: no login of its own, nothing but what is granted to it below.
CREATE ROLE :"role" NOLOGIN NOSUPERUSER NOBYPASSRLS;
