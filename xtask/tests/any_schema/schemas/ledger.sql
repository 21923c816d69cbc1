-- Keys are texts, the registry is called accounts, and a table of another meaning has nearly its name. The ledger is only
-- ever added to, and a support role reads it; a role that every server has stands for that one.
CREATE TABLE accounts (id text PRIMARY KEY, name text NOT NULL UNIQUE, status text NOT NULL DEFAULT 'open');
CREATE TABLE bank_accounts (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts (id),
    iban text NOT NULL
);
CREATE TABLE ledger_entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts (id),
    bank_account_id text NOT NULL REFERENCES bank_accounts (id),
    cents bigint NOT NULL
);
CREATE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only added to';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION refuse_changes();
CREATE POLICY support_reads ON ledger_entries FOR SELECT TO pg_read_all_stats USING (true);
INSERT INTO accounts (id, name) SELECT 'acc_' || n, 'Account ' || n FROM generate_series(1, 3) AS n;
INSERT INTO bank_accounts SELECT 'bank_' || a.id, a.id, 'DE00 ' || a.id FROM accounts AS a;
INSERT INTO ledger_entries (account_id, bank_account_id, cents)
SELECT b.account_id, b.id, n * 100 FROM bank_accounts AS b, generate_series(1, 4) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_user;
