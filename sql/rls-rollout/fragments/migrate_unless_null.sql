-- A fragment of a PL/pgSQL block. It needs names that are quoted.
-- Ends the block where a row has no tenant. A role that is filtered cannot tell, and the statements that follow say so.
    IF NOT row_security_active(:'name') THEN
        IF EXISTS (SELECT FROM :"table" AS t WHERE t.:"column" IS NULL) THEN
            :says
            RETURN;
        END IF;
    END IF;
