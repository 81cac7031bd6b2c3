#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "arguments.hpp"

namespace compare {

/// A file of fvecs or ivecs (each row: its length as int32, then so many elements of four bytes), mapped and never copied.
/// All rows have the same length.
template <typename Element>
class Vecs {
	static_assert(sizeof(Element) == 4);

public:
	explicit Vecs(const std::string &path)
	{
		int file = open(path.c_str(), O_RDONLY);
		struct stat status;
		if (file < 0 || fstat(file, &status) != 0 || status.st_size < 8)
			die("cannot read " + path);
		void *mapped = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
		if (mapped == MAP_FAILED)
			die("cannot map " + path);
		close(file);
		bytes_ = static_cast<const char *>(mapped);
		std::int32_t length;
		std::memcpy(&length, bytes_, 4);
		length_ = static_cast<std::size_t>(length);
		if (length < 1 || static_cast<std::size_t>(status.st_size) % (4 * (length_ + 1)) != 0)
			die(path + " is not a file of rows of equal length");
		rows_ = static_cast<std::size_t>(status.st_size) / (4 * (length_ + 1));
	}
	Vecs(const Vecs &) = delete;
	Vecs &operator=(const Vecs &) = delete;

	std::size_t rows() const { return rows_; }
	std::size_t length() const { return length_; }
	const Element *operator[](std::size_t row) const
	{
		return reinterpret_cast<const Element *>(bytes_ + row * 4 * (length_ + 1) + 4);
	}

private:
	const char *bytes_;
	std::size_t rows_;
	std::size_t length_;
};

/// Writes such a file.
class VecsWriter {
public:
	explicit VecsWriter(const std::string &path) : path_(path), file_(std::fopen(path.c_str(), "wb"))
	{
		if (file_ == nullptr)
			die("cannot write " + path);
	}
	VecsWriter(const VecsWriter &) = delete;
	VecsWriter &operator=(const VecsWriter &) = delete;
	~VecsWriter()
	{
		if (std::fclose(file_) != 0)
			die("cannot write " + path_);
	}

	template <typename Element>
	void row(const Element *elements, std::size_t length)
	{
		static_assert(sizeof(Element) == 4);
		auto header = static_cast<std::int32_t>(length);
		if (std::fwrite(&header, 4, 1, file_) != 1 || std::fwrite(elements, 4, length, file_) != length)
			die("cannot write " + path_);
	}

private:
	std::string path_;
	std::FILE *file_;
};

}  // namespace compare
