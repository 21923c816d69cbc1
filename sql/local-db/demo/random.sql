-- Where all randomness comes from: hashint8extended(), which gives the same on every version and platform, as hash partitions rely on it.
-- Declared IMMUTABLE, as the settings stay what they are until the end of the transaction: the planner computes a salt once a statement.
CREATE FUNCTION pg_temp.setting(name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT current_setting('seed.' || name)::bigint
$$;

CREATE FUNCTION pg_temp.salt(purpose text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || left(encode(sha256(convert_to(purpose || current_setting('seed.seed'), 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;

-- A number from 0 to choices - 1, in integers: floating point differs between platforms.
CREATE FUNCTION pg_temp.pick(purpose text, n bigint, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ((hashint8extended(n, pg_temp.salt(purpose)) & 4294967295) * choices) >> 32
$$;

-- As long as a cuid, and in random order.
CREATE FUNCTION pg_temp.cuid(kind text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'c' || lpad(to_hex(hashint8extended(n, pg_temp.salt(kind))), 16, '0')
               || right(lpad(to_hex(hashint8extended(n, pg_temp.salt(kind || ' tail'))), 16, '0'), 8)
$$;
