-- Lines of an order have no tenant column; they depend on their order.
CREATE TABLE shops (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    shop_id uuid NOT NULL REFERENCES shops (id),
    placed_on date NOT NULL DEFAULT current_date
);
CREATE TABLE order_lines (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    article text NOT NULL
);
CREATE INDEX ON order_lines (order_id);
INSERT INTO shops (slug, name) SELECT 'shop-' || n, 'Shop ' || n FROM generate_series(1, 3) AS n;
INSERT INTO orders (shop_id) SELECT s.id FROM shops AS s, generate_series(1, 2) AS n;
INSERT INTO order_lines (order_id, article) SELECT o.id, 'Article ' || n FROM orders AS o, generate_series(1, 3) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
