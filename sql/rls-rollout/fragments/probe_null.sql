-- A fragment. It needs `DO` before it, quotes around it, and a lock on the table, or a row could come after it.
-- Refuses where a row has no tenant.
BEGIN
    IF EXISTS (SELECT FROM ONLY :"table" AS t WHERE t.:"column" IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'TO004', MESSAGE = :'message', HINT = :'hint';
    END IF;
END
