-- Most tables have no tenant column, and hang on orders and articles, some of them through others.
CREATE TABLE shops (id integer PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, shop_id integer NOT NULL REFERENCES shops (id));
CREATE TABLE articles (id integer PRIMARY KEY, shop_id integer NOT NULL REFERENCES shops (id));
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders (id) ON DELETE CASCADE);
CREATE TABLE line_notes (id integer PRIMARY KEY, line_id integer NOT NULL REFERENCES order_lines (id) ON DELETE CASCADE);
CREATE TABLE payments (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders (id));
CREATE TABLE refunds (id integer PRIMARY KEY, payment_id integer NOT NULL REFERENCES payments (id));
CREATE TABLE photos (id integer PRIMARY KEY, article_id integer NOT NULL REFERENCES articles (id));
INSERT INTO shops SELECT n, 'shop-' || n, 'Shop ' || n FROM generate_series(1, 2) AS n;
INSERT INTO orders SELECT n, n % 2 + 1 FROM generate_series(1, 4) AS n;
INSERT INTO articles SELECT n, n % 2 + 1 FROM generate_series(1, 4) AS n;
INSERT INTO order_lines SELECT n, n FROM generate_series(1, 4) AS n;
INSERT INTO line_notes SELECT n, n FROM generate_series(1, 4) AS n;
INSERT INTO payments SELECT n, n FROM generate_series(1, 4) AS n;
INSERT INTO refunds SELECT n, n FROM generate_series(1, 4) AS n;
INSERT INTO photos SELECT n, n FROM generate_series(1, 4) AS n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
