// A set of vectors, and queries from the same law: a mixture of Gaussians.
//
// generate rows=N queries=N dimensions=N base=FVECS asked=FVECS threads=N [seed=1] [components=1000] [spread=S]
//
// Each component has the spectrum 1, 1/2, 1/3, ... 1/dimensions, laid on the axes of a common random frame in an order of its
// own, so that no two components lie alike. Its centre is drawn from a Gaussian of the same kind, S times as wide. A row picks
// its component evenly. The frame is a product of 2 log2(dimensions) layers, each of which pairs the coordinates at random and
// turns every pair by a random angle. All randomness is this file's own arithmetic (splitmix64, Box-Muller), and every row has
// a stream of its own: the same arguments give the same set wherever IEEE arithmetic and libm's sin, cos and log agree.

#include <cmath>
#include <numbers>
#include <thread>

#include "vecs.hpp"

using namespace compare;

namespace {

class Random {
public:
	/// Streams of different (seed, kind, number) have nothing in common.
	Random(std::uint64_t seed, std::uint64_t kind, std::uint64_t number) : state_(mix(mix(mix(seed) + kind) + number))
	{}
	std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }
	std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
	double uniform() { return (static_cast<double>(next() >> 11) + .5) / 9007199254740992.0; }
	double normal()
	{
		double radius = std::sqrt(-2 * std::log(uniform()));
		return radius * std::cos(2 * std::numbers::pi * uniform());
	}
	template <typename Value>
	void shuffle(std::vector<Value> &values)
	{
		for (std::size_t i = values.size(); i > 1; --i)
			std::swap(values[i - 1], values[below(i)]);
	}

private:
	static std::uint64_t mix(std::uint64_t x)
	{
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
		x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
		return x ^ (x >> 31);
	}
	std::uint64_t state_;
};

enum Kind : std::uint64_t { kFrame = 1, kComponent, kRow, kQuery };

struct Turn {
	std::uint32_t i, j;
	float cosine, sine;
};

struct Component {
	std::vector<float> scale;  // of each axis: square root of the spectrum in this component's order
	std::vector<float> centre;
};

struct Mixture {
	std::vector<Turn> frame;
	std::vector<Component> components;
};

std::vector<float> scales(Random &random, std::size_t dimensions)
{
	std::vector<float> scale(dimensions);
	for (std::size_t i = 0; i < dimensions; ++i)
		scale[i] = static_cast<float>(1 / std::sqrt(static_cast<double>(i + 1)));
	random.shuffle(scale);
	return scale;
}

Mixture make_mixture(std::uint64_t seed, std::size_t dimensions, std::size_t components, double spread)
{
	Mixture mixture;
	Random random(seed, kFrame, 0);
	std::vector<std::uint32_t> order(dimensions);
	for (std::size_t i = 0; i < dimensions; ++i)
		order[i] = static_cast<std::uint32_t>(i);
	for (std::size_t layers = 2 * static_cast<std::size_t>(std::ceil(std::log2(dimensions))); layers > 0; --layers) {
		random.shuffle(order);
		for (std::size_t i = 0; i + 1 < dimensions; i += 2) {
			double angle = 2 * std::numbers::pi * random.uniform();
			mixture.frame.push_back(
				{order[i], order[i + 1], static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
		}
	}
	for (std::size_t number = 0; number < components; ++number) {
		Random own(seed, kComponent, number);
		Component component{scales(own, dimensions), scales(own, dimensions)};
		for (float &value : component.centre)
			value *= static_cast<float>(spread * own.normal());
		mixture.components.push_back(std::move(component));
	}
	return mixture;
}

void draw(const Mixture &mixture, Random random, float *out)
{
	const Component &component = mixture.components[random.below(mixture.components.size())];
	for (std::size_t i = 0; i < component.scale.size(); ++i)
		out[i] = component.centre[i] + component.scale[i] * static_cast<float>(random.normal());
	for (const Turn &turn : mixture.frame) {
		float x = out[turn.i], y = out[turn.j];
		out[turn.i] = turn.cosine * x - turn.sine * y;
		out[turn.j] = turn.sine * x + turn.cosine * y;
	}
}

void write(const Mixture &mixture, std::uint64_t seed, Kind kind, std::size_t rows, const std::string &path,
	std::size_t workers)
{
	constexpr std::size_t kBatch = 4096;
	const std::size_t dimensions = mixture.components[0].scale.size();
	VecsWriter file(path);
	std::vector<float> batch(kBatch * dimensions);
	for (std::size_t from = 0; from < rows; from += kBatch) {
		std::size_t size = std::min(kBatch, rows - from);
		std::vector<std::thread> threads;
		for (std::size_t worker = 0; worker < workers; ++worker)
			threads.emplace_back([&, worker] {
				for (std::size_t i = worker; i < size; i += workers)
					draw(mixture, Random(seed, kind, from + i), &batch[i * dimensions]);
			});
		for (std::thread &thread : threads)
			thread.join();
		for (std::size_t i = 0; i < size; ++i)
			file.row(&batch[i * dimensions], dimensions);
	}
}

}  // namespace

int main(int argc, char **argv)
{
	Arguments arguments(argc, argv);
	auto seed = static_cast<std::uint64_t>(arguments.number("seed", 1));
	auto workers = static_cast<std::size_t>(arguments.number("threads"));
	Mixture mixture = make_mixture(seed, static_cast<std::size_t>(arguments.number("dimensions")),
		static_cast<std::size_t>(arguments.number("components", 1000)), arguments.real("spread", 1));
	write(mixture, seed, kRow, static_cast<std::size_t>(arguments.number("rows")), arguments.text("base"), workers);
	write(
		mixture, seed, kQuery, static_cast<std::size_t>(arguments.number("queries")), arguments.text("asked"), workers);
}
