#!/bin/bash
# Whether the prefetches that the source asks for are instructions in the library. A compiler may drop them in silence, and
# what runs a third slower still passes every other test (src/core/prefetch.hpp). Prints a line a place, in TAP.
#
# usage: prefetches.sh LIBRARY
set -euo pipefail
library=$1

# The functions that each prefetch was inlined through, innermost first: "prefetch < prefetch_code < ...".
chains() {
	objdump -d --no-show-raw-insn "$library" | awk '$2 ~ /^prefetch/ { sub(":", "", $1); print "0x" $1 }' |
		addr2line -e "$library" -a -f -i -C | awk '
			/^0x/ { if (chain != "") print chain; chain = ""; n = 0; next }
			n++ % 2 == 0 { chain = chain (chain == "" ? "" : " < ") $0 }
			END { if (chain != "") print chain }'
}

if [ "$(uname -m)" != x86_64 ]; then
	echo "ok 1 - prefetches # SKIP their instruction is known for x86-64 alone"
	exit
fi
found=$(chains)
n=0
# present WHAT PATTERN: a prefetch whose chain matches
present() {
	local count
	n=$((n + 1))
	count=$(grep -cE "$2" <<< "$found" || true)
	if [ "$count" -gt 0 ]; then
		echo "ok $n - $1: $count"
	else
		echo "not ok $n - $1: no prefetch is in the library"
	fi
}
prefetch='^vectorizer::prefetch'
present "a search: the codes of a node's neighbours" "$prefetch.* < .*prefetch_code.*Search<vectorizer::hnsw::PageStore>::evaluate"
present "a search: their pages' descriptors" "$prefetch[^<]* < (void )?vectorizer::hnsw::PageStore::visit<vectorizer::graph::Search<"
present "a search: the links of the node that is next" "$prefetch.*prefetch_links.* < .*Search<vectorizer::hnsw::PageStore>"
present "a descent: codes" "$prefetch.* < .*prefetch_code.*descend<vectorizer::hnsw::PageStore>"
present "a build: codes" "$prefetch.* < .*prefetch_code.*Search<vectorizer::graph::MemoryGraph>"
present "a build: links" "$prefetch.* < .*MemoryGraph::prefetch_links"
present "a build's descent: codes" "$prefetch.* < .*prefetch_code.*descend<vectorizer::graph::MemoryGraph>"
present "rows: pages" "$prefetch.* < .*Rerank::prefetch_page"
present "rows: tuples" "$prefetch.* < .*Rerank::prefetch_row"
echo "1..$n"
