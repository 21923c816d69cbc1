-- Refuses where a row has no tenant. The body of a DO block.
BEGIN
    IF EXISTS (SELECT FROM ONLY :"table" AS t WHERE t.:"column" IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'TO004', MESSAGE = :'message', HINT = :'hint';
    END IF;
END
