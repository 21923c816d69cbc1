-- Whether the condition of a policy gives an answer at all: for one row of NULLs, which no policy filters. OFFSET keeps the server from computing with
-- the NULLs when it plans.
SELECT (:condition) AS answer FROM (SELECT :nulls OFFSET 0) AS :"relation"
