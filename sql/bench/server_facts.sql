-- What decides how fast a server writes, as a candidate's session finds it.
SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
       current_setting('full_page_writes'), current_setting('wal_level'), current_setting('shared_buffers'),
       current_setting('max_wal_size')
