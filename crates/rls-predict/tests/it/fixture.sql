-- A table with indexes of every kind, and one that points to it. Most rows are those of one tenant.
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext;
INSERT INTO "Tenant" (id, slug, name, "updatedAt")
SELECT 't_' || n, 't' || n, 'T', now() FROM generate_series(1, 20) AS n;
SET ROLE app_owner;
CREATE TYPE mood AS ENUM ('happy', 'sad', 'rare');
CREATE TABLE people (
    id text PRIMARY KEY,
    "tenantId" text NOT NULL REFERENCES "Tenant" (id),
    email text NOT NULL,
    handle varchar(60) NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    nick citext NOT NULL,
    mood mood NOT NULL,
    data jsonb NOT NULL,
    body text NOT NULL,
    tags text[] NOT NULL,
    price numeric NOT NULL,
    "seenAt" timestamp(3) NOT NULL,
    "deletedAt" timestamp(3),
    network inet NOT NULL
);
INSERT INTO people
SELECT 'p_' || n, 't_' || CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n % 20 END, 'Mail' || n || '@x.example', 'h' || n, 'name ' || md5(n::text), 'title' || n,
       'Nick' || n, CASE WHEN n % 1000 = 0 THEN 'rare' WHEN n % 2 = 0 THEN 'happy' ELSE 'sad' END::mood,
       jsonb_build_object('key', n, 'kind', 'k' || n), 'word' || n || ' and more text', ARRAY['tag' || n, 'all'], n, now() - n * interval '1 minute',
       NULL, ('10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256)::inet
FROM generate_series(1, 30000) AS n;
CREATE INDEX people_lower ON people (lower(email));
CREATE INDEX people_email ON people (email);
CREATE INDEX people_handle ON people (handle);
CREATE INDEX people_prefix ON people (title text_pattern_ops);
CREATE INDEX people_trigram ON people USING gin (name gin_trgm_ops);
CREATE INDEX people_nick ON people (nick);
CREATE INDEX people_mood ON people (mood);
CREATE INDEX people_data ON people USING gin (data);
CREATE INDEX people_kind ON people ((data ->> 'kind'));
CREATE INDEX people_words ON people USING gin (to_tsvector('english', body));
CREATE INDEX people_tags ON people USING gin (tags);
CREATE INDEX people_price ON people (price);
CREATE INDEX people_seen ON people ("seenAt");
CREATE INDEX people_name_of_tenant ON people ("tenantId", upper(name));
CREATE INDEX people_coalesce ON people (coalesce("deletedAt", "seenAt"));
CREATE INDEX people_bytes ON people ((email COLLATE "C"));
CREATE INDEX people_pair ON people (price, (reverse(handle)), (handle COLLATE "C"));
CREATE INDEX people_network ON people (network);
CREATE TABLE letters (
    id text PRIMARY KEY,
    "tenantId" text NOT NULL REFERENCES "Tenant" (id),
    "personId" text NOT NULL REFERENCES people (id),
    "sentTo" text NOT NULL
);
INSERT INTO letters
SELECT 'l_' || n, 't_' || CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n % 20 END, 'p_' || n, 'mail' || n || '@x.example' FROM generate_series(1, 30000) AS n;
CREATE INDEX letters_person ON letters ("personId");
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO countries SELECT 'c' || n, 'Country ' || n FROM generate_series(1, 20000) AS n;
CREATE INDEX countries_lower ON countries (lower(name));
GRANT SELECT, INSERT, UPDATE, DELETE ON people, letters, countries TO app_user;
RESET ROLE;
ANALYZE;
