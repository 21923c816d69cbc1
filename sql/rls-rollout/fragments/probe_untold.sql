-- A fragment. It needs `DO` before it, quotes around it, and a lock on the table, or a row could come after it.
-- Refuses where a row has a tenant that no row to which it points tells: dropping the column would lose it.
BEGIN
    IF :untold THEN
        RAISE EXCEPTION USING ERRCODE = 'TO007', MESSAGE = :'message', HINT = :'hint';
    END IF;
END
