-- What each transaction of a step is set to. A step and its journal entry are one commit, and the server writes its log in order: a crash can
-- only lose the last steps together with their entries. The commit that ends the rollout is written to the disk, with all before it. The
-- statements on the catalog are the same for each table, and planning them would take as long as running them. They are planned when the
-- catalog has few policies and defaults, and must not scan what a rollout of many tables makes of that.
SET LOCAL enable_seqscan = off;
SET LOCAL synchronous_commit = off;
SET LOCAL plan_cache_mode = force_generic_plan
