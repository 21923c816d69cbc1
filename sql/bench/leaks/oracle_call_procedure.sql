-- What a procedure returns.
CALL :"function"(:arguments)
