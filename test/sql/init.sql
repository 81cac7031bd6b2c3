-- Runs first: what every other test file finds.
CREATE EXTENSION vectorizer;
SELECT extname, extversion FROM pg_extension WHERE extname = 'vectorizer';
