// Fills a table (id integer, v vector) from a file.
//
// write where=CONNINFO table=NAME base=FVECS [from=0] [to=all] [rows_a_transaction=0]
// Row number = id. With rows_a_transaction = 0 by one COPY; else by a prepared INSERT a row, so many of them in a
// transaction, and a line "insert" of latencies a row (latencies.hpp; a commit counts for the row before it).

#include "connection.hpp"
#include "latencies.hpp"
#include "vecs.hpp"

using namespace compare;

namespace {

void copy(Connection &connection, const std::string &table, const Vecs<float> &base, std::size_t from, std::size_t to)
{
	connection.execute("COPY " + table + " FROM STDIN (FORMAT binary)");
	static constexpr char kSignature[] = "PGCOPY\n\377\r\n";
	std::vector<char> bytes(kSignature, kSignature + 11);
	append_int32(bytes, 0);
	append_int32(bytes, 0);
	for (std::size_t row = from; row < to; ++row) {
		append_int16(bytes, 2);
		append_int32(bytes, 4);
		append_int32(bytes, static_cast<std::uint32_t>(row));
		append_int32(bytes, static_cast<std::uint32_t>(4 + 4 * base.length()));
		append_vector(bytes, base[row], base.length());
		if (bytes.size() > 65536 || row + 1 == to) {
			if (PQputCopyData(connection.handle(), bytes.data(), static_cast<int>(bytes.size())) != 1)
				connection.fail();
			bytes.clear();
		}
	}
	append_int16(bytes, 0xffff);
	if (PQputCopyData(connection.handle(), bytes.data(), static_cast<int>(bytes.size())) != 1 ||
		PQputCopyEnd(connection.handle(), nullptr) != 1)
		connection.fail();
	while (PGresult *result = PQgetResult(connection.handle()))
		PQclear(connection.check(result));
}

void insert(Connection &connection, const std::string &table, const Vecs<float> &base, std::size_t from, std::size_t to,
	std::size_t rows)
{
	connection.prepare("insert", "INSERT INTO " + table + " VALUES ($1, $2)");
	std::vector<std::vector<char>> parameters(2);
	std::vector<double> micros;
	Clock::time_point start = Clock::now();
	for (std::size_t row = from; row < to; ++row) {
		Clock::time_point since = Clock::now();
		if ((row - from) % rows == 0)
			connection.execute("BEGIN");
		for (std::vector<char> &parameter : parameters)
			parameter.clear();
		append_int32(parameters[0], static_cast<std::uint32_t>(row));
		append_vector(parameters[1], base[row], base.length());
		PQclear(connection.run("insert", parameters));
		if ((row - from) % rows == rows - 1 || row + 1 == to)
			connection.execute("COMMIT");
		micros.push_back(1e6 * seconds_since(since));
	}
	print_latencies("insert", 0, std::move(micros), seconds_since(start));
}

}  // namespace

int main(int argc, char **argv)
{
	Arguments arguments(argc, argv);
	Vecs<float> base(arguments.text("base"));
	auto from = static_cast<std::size_t>(arguments.number("from", 0));
	auto to = static_cast<std::size_t>(arguments.number("to", static_cast<long>(base.rows())));
	if (from > to || to > base.rows())
		die("the file has no such rows");
	auto rows = static_cast<std::size_t>(arguments.number("rows_a_transaction", 0));
	Connection connection(arguments.text("where"));
	if (rows == 0)
		copy(connection, arguments.text("table"), base, from, to);
	else
		insert(connection, arguments.text("table"), base, from, to, rows);
}
