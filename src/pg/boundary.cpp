#include "pg/boundary.hpp"

namespace vectorizer::pg {

namespace {

int sqlstate_of(Errc code)
{
	switch (code) {
		case Errc::kInvalidInput: return ERRCODE_INVALID_PARAMETER_VALUE;
		case Errc::kLimit: return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case Errc::kIo: return ERRCODE_IO_ERROR;
		case Errc::kCancelled: return ERRCODE_QUERY_CANCELED;
		case Errc::kInternal: return ERRCODE_INTERNAL_ERROR;
	}
	return ERRCODE_INTERNAL_ERROR;
}

}  // namespace

void PendingError::capture() noexcept
{
	hint[0] = '\0';
	try {
		throw;
	}
	catch (const Error &error) {
		sqlstate = sqlstate_of(error.code());
		strlcpy(message, error.what(), sizeof(message));
		strlcpy(hint, error.hint().c_str(), sizeof(hint));
	}
	catch (const std::bad_alloc &) {
		sqlstate = ERRCODE_OUT_OF_MEMORY;
		strlcpy(message, "out of memory", sizeof(message));
	}
	catch (const std::exception &error) {
		sqlstate = ERRCODE_INTERNAL_ERROR;
		strlcpy(message, error.what(), sizeof(message));
	}
	catch (...) {
		sqlstate = ERRCODE_INTERNAL_ERROR;
		strlcpy(message, "unknown C++ exception", sizeof(message));
	}
}

void PendingError::raise() const
{
	if (sqlstate == ERRCODE_QUERY_CANCELED)
		CHECK_FOR_INTERRUPTS();  // raises the server's own text where the server knows why
	ereport(ERROR, (errcode(sqlstate), errmsg("%s", message), hint[0] != '\0' ? errhint("%s", hint) : 0));
	pg_unreachable();
}

Stop interrupt_pending()
{
	return {[](void *) -> bool { return InterruptPending && (QueryCancelPending || ProcDiePending); }, nullptr};
}

Arena context_arena(MemoryContext context)
{
	return {[](void *target, std::size_t bytes) -> void * {
				return MemoryContextAllocHuge(static_cast<MemoryContext>(target), bytes);
			},
			context};
}

}  // namespace vectorizer::pg
