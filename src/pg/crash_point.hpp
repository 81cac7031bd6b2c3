// Named places between two changes of an index, at which a test can stop a backend. In a release build they are nothing;
// `make build/crash/vectorizer.so` makes the library in which a superuser can set (test/t/044_crash_points.pl,
// test/isolation/specs/hnsw_race_*.spec):
//
//   vectorizer.crash_point = 'name[:nth]'   the nth time this session gets there, the server dies as from kill -9, with the
//                                           session's WAL flushed up to there
//   vectorizer.wait_point = 'name[:nth]'    the nth time, the session waits for pg_advisory_lock(118, 0), and gives it back
//
// REQUIRES of every such place: no content lock is held. Its name is a string literal, verb first: a test finds them all in
// the sources and fails for one that nothing reaches.
#pragma once

namespace vectorizer::pg {

#ifdef VECTORIZER_CRASH_POINTS
void crash_point(const char *name);
void define_crash_points();
#else
inline void crash_point(const char *) {}
inline void define_crash_points() {}
#endif

}  // namespace vectorizer::pg
