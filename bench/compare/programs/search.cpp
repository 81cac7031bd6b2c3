// Times one prepared query over a sweep of a setting, from one or more clients at once, each with a connection of its own.
//
// search where=CONNINFO sql=TEXT queries=FVECS truth=IVECS k=N setting=NAME values=N,N,...
//        [session=SQL] [clients=1] [count=all] [latencies=FILE] [answers=FILE]
// TEXT has one parameter, the vector, and returns ids as integers. Prints a line a value (latencies.hpp), after one labelled
// "floor" for a prepared SELECT 1. Every client asks all queries, starting at a different one. The first value is warmed up by
// all of them, the others by 50. One client shares a core with its server process. FILE gets every single latency: value,
// client, query, microseconds. The file of `answers` gets a line for each answer of the first client: value, query, ids.

#include <algorithm>
#include <barrier>
#include <memory>
#include <thread>

#include "connection.hpp"
#include "latencies.hpp"
#include "vecs.hpp"

using namespace compare;

namespace {

struct Client {
	std::unique_ptr<Connection> connection;
	std::vector<double> micros;
	double recall = 0;
};

std::vector<std::int32_t> ids_of(PGresult *result)
{
	std::vector<std::int32_t> ids(static_cast<std::size_t>(PQntuples(result)));
	for (std::size_t i = 0; i < ids.size(); ++i) {
		std::uint32_t bytes;
		std::memcpy(&bytes, PQgetvalue(result, static_cast<int>(i), 0), 4);
		ids[i] = static_cast<std::int32_t>(__builtin_bswap32(bytes));
	}
	return ids;
}

/// Has every client do the same at once; the seconds that it took.
template <typename Work>
double together(std::vector<Client> &clients, Work work)
{
	std::barrier start(static_cast<std::ptrdiff_t>(clients.size()) + 1);
	std::vector<std::thread> threads;
	for (std::size_t number = 0; number < clients.size(); ++number)
		threads.emplace_back([&, number] {
			start.arrive_and_wait();
			work(clients[number], number);
		});
	start.arrive_and_wait();
	Clock::time_point from = Clock::now();
	for (std::thread &thread : threads)
		thread.join();
	return seconds_since(from);
}

void print(const char *label, const std::vector<Client> &clients, double wall)
{
	std::vector<double> micros;
	double recall = 0;
	for (const Client &client : clients) {
		micros.insert(micros.end(), client.micros.begin(), client.micros.end());
		recall += client.recall / static_cast<double>(clients.size());
	}
	print_latencies(label, recall, std::move(micros), wall);
}

}  // namespace

int main(int argc, char **argv)
{
	Arguments arguments(argc, argv);
	Vecs<float> queries(arguments.text("queries"));
	Vecs<std::int32_t> truth(arguments.text("truth"));
	auto k = static_cast<std::size_t>(arguments.number("k"));
	if (truth.rows() < queries.rows() || truth.length() < k)
		die("the ground truth is too small");
	auto count = static_cast<std::size_t>(arguments.number("count", static_cast<long>(queries.rows())));
	std::FILE *every =
		arguments.text("latencies", "").empty() ? nullptr : std::fopen(arguments.text("latencies").c_str(), "a");

	std::vector<std::vector<std::vector<char>>> parameters(queries.rows(), std::vector<std::vector<char>>(1));
	for (std::size_t i = 0; i < queries.rows(); ++i)
		append_vector(parameters[i][0], queries[i], queries.length());

	std::vector<Client> clients(static_cast<std::size_t>(arguments.number("clients", 1)));
	for (Client &client : clients) {
		client.connection = std::make_unique<Connection>(arguments.text("where"));
		client.connection->execute(arguments.text("session", "SELECT"));
		client.connection->prepare("ask", arguments.text("sql"));
		client.connection->prepare("floor", "SELECT 1");
	}

	if (clients.size() == 1)
		clients.front().connection->share_core();

	double wall = together(clients, [&](Client &client, std::size_t) {
		for (std::size_t i = 0; i < 2200; ++i) {
			Clock::time_point from = Clock::now();
			PQclear(client.connection->run("floor", {}));
			if (i >= 200)
				client.micros.push_back(1e6 * seconds_since(from));
		}
	});
	print("floor", clients, wall);

	std::FILE *answers = arguments.text("answers", "").empty() ? nullptr : std::fopen(arguments.text("answers").c_str(), "a");

	std::size_t warm = count;
	for (long value : arguments.numbers("values")) {
		std::string label = std::to_string(value);
		for (Client &client : clients)
			client.connection->execute("SET " + arguments.text("setting") + " = " + label);
		together(clients, [&](Client &client, std::size_t number) {
			for (std::size_t i = 0; i < std::min(warm, count); ++i)
				PQclear(client.connection->run("ask", parameters[(i + number * 37) % queries.rows()]));
		});
		warm = 50;
		wall = together(clients, [&](Client &client, std::size_t number) {
			client.micros.assign(count, 0);
			client.recall = 0;
			for (std::size_t i = 0; i < count; ++i) {
				std::size_t query = (i + number * queries.rows() / clients.size()) % queries.rows();
				Clock::time_point from = Clock::now();
				PGresult *result = client.connection->run("ask", parameters[query]);
				client.micros[i] = 1e6 * seconds_since(from);
				std::vector<std::int32_t> ids = ids_of(result);
				client.recall += recall_of(ids, truth[query], k) / static_cast<double>(count);
				if (answers != nullptr && number == 0) {
					std::fprintf(answers, "%s\t%zu\t", label.c_str(), query);
					for (std::int32_t id : ids)
						std::fprintf(answers, " %d", id);
					std::fputc('\n', answers);
				}
				PQclear(result);
			}
		});
		print(label.c_str(), clients, wall);
		if (every != nullptr)
			for (std::size_t number = 0; number < clients.size(); ++number)
				for (std::size_t i = 0; i < count; ++i)
					std::fprintf(every, "%ld\t%zu\t%zu\t%.2f\n", value, number,
						(i + number * queries.rows() / clients.size()) % queries.rows(), clients[number].micros[i]);
	}
	for (std::FILE *file : {every, answers})
		if (file != nullptr)
			std::fclose(file);
}
