-- The view reads as whoever asks; before 15 a view cannot.
ALTER VIEW calendar SET (security_invoker = true);
GRANT SELECT ON calendar TO app_user
