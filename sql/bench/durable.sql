-- PostgreSQL's default, which production has: a commit waits for the disk. The local server does not wait, to be quick.
ALTER DATABASE :"name" SET synchronous_commit = on
