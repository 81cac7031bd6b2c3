#include "core/text/html.hpp"

#include "core/error.hpp"
#include "core/text/html_tags.hpp"
#include "core/text/utf8.hpp"

#include <gtest/gtest.h>
#include <libxml/xmlerror.h>

#include <random>

using namespace vectorizer;
using namespace vectorizer::txt;
using namespace std::string_literals;

namespace {

std::string text_of(std::string_view html)
{
	return html_to_text(html, {}).text;
}

}  // namespace

TEST(Html, PartsBlocksByABlankLine)
{
	EXPECT_EQ(text_of("<p>One\n  two</p><p>Three <b>four</b>, <i>fi</i>ve.</p><div>Six<div>seven</div></div>"),
			  "One two\n\nThree four, five.\n\nSix\n\nseven\n");
	EXPECT_EQ(text_of("a<br>b<br><br>c"), "a\nb\n\nc\n");
	EXPECT_EQ(text_of("<p>27.2.&nbsp;Log&shy;Shipping &amp; more &#8364;</p>"), "27.2. LogShipping & more \u20AC\n");
	EXPECT_EQ(text_of("no markup at all"), "no markup at all\n");
	EXPECT_EQ(text_of(""), "");
	EXPECT_EQ(text_of(" \n "), "");
}

TEST(Html, KeepsTheLinesOfPreformattedText)
{
	EXPECT_EQ(text_of("<p>Run:</p><pre>\nSELECT 1\n  FROM <b>t</b>;\n\n-- end\n</pre><p>Done</p>"),
			  "Run:\n\nSELECT 1\n  FROM t;\n\n-- end\n\nDone\n");
}

TEST(Html, PutsListItemsOnLinesOfTheirOwn)
{
	EXPECT_EQ(text_of("<p>x</p><ul><li>a</li><li><p>b</p></li><li>c<ol><li>d</li></ol></li></ul><p>y</p>"),
			  "x\n\n- a\n- b\n- c\n- d\n\ny\n");
	EXPECT_EQ(text_of("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>"), "- a\n\nb\n\n- c\n");
	EXPECT_EQ(text_of("<dl><dt>term</dt><dd><p>meaning</p><p>more</p></dd><dt>next</dt><dd>x</dd></dl>"),
			  "term\nmeaning\n\nmore\n\nnext\nx\n");
}

TEST(Html, PutsTableRowsOnLinesOfTheirOwn)
{
	EXPECT_EQ(text_of("<p>t</p><table><thead><tr><th>Name</th><th>Type</th></tr></thead>"
					  "<tbody><tr><td>a</td><td>int</td></tr></tbody></table>"),
			  "t\n\nName | Type\na | int\n");
	EXPECT_EQ(text_of("<table><tr><td><p>f(x)</p><p>Does f.</p></td></tr><tr><td><p>g(x)</p><p>Does g.</p></td></tr></table>"),
			  "f(x)\nDoes f.\n\ng(x)\nDoes g.\n");
	// An empty cell keeps its place in the row; empty cells and items leave no mark on what follows.
	EXPECT_EQ(text_of("<table><tr><td>a<td><td>b<td></table><p>c</p><ul><li></ul><p>d</p><dl><dt>t<dd></dl><p>e"),
			  "a |  | b\n\nc\n\nd\n\nt\n\ne\n");
	// A table that lays out the page is no table of rows.
	EXPECT_EQ(text_of("<table><tr><td><h1>Head</h1><p>One.</p><p>Two.</p></td><td>side</td></tr></table>"),
			  "Head\n\nOne.\n\nTwo.\n\nside\n");
}

TEST(Html, DropsWhatIsNotText)
{
	EXPECT_EQ(text_of("<html><head><title>T</title><style>p{}</style></head><body class=toc><script>if (a<b) '</p>'</script>"
					  "<nav>Home</nav><header>Site</header><noscript>no</noscript><p>Text</p><!-- <p>comment</p> -->"
					  "<div class='navheader'>Prev</div><div class='big TOC'>Contents</div><div role=navigation>N</div>"
					  "<div id=breadcrumbs>B</div><p hidden>h</p><span aria-hidden=true>icon</span><footer>F</footer>"
					  "<article><header><h1>Kept</h1></header></article><select><option>o</option></select></body></html>"),
			  "Text\n\nKept\n");
}

TEST(Html, MarksHeadingsWithTheirPath)
{
	HtmlText page = html_to_text("<title>Manual</title><p>Intro</p><h1>A</h1><p>a</p><h3>B</h3><div class=note><h4>Note</h4>n</div>"
								 "<h2>C <i>d</i></h2><h1></h1><p>end</p>",
								 {});
	EXPECT_EQ(page.title, "Manual");
	ASSERT_EQ(page.headings.size(), 3U);
	EXPECT_EQ(page.headings[0].heading, "Manual > A");
	EXPECT_EQ(page.headings[1].heading, "Manual > A > B");
	EXPECT_EQ(page.headings[2].heading, "Manual > A > C d");
	for (std::size_t i = 0; i < 3; ++i) {
		std::string last = page.headings[i].heading.substr(page.headings[i].heading.rfind("> ") + 2);
		EXPECT_EQ(page.text.substr(page.headings[i].offset, last.size()), last);
	}
	EXPECT_EQ(html_to_text("<title>Same</title><h2>Same</h2><h3>Part</h3>", {}).headings[1].heading, "Same > Part");
	EXPECT_EQ(html_to_text("<h2>Only</h2>", {}).title, "Only");
	HtmlText broken = html_to_text("<p>x<h5></b><br>y</h5>", {});
	EXPECT_EQ(broken.text.substr(broken.headings.at(0).offset), "y\n");
}

TEST(Html, ReadsDocBookPages)
{
	HtmlText page = html_to_text(R"(<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>9.1. Things</title></head><body id="docContent">
<div class="navheader"><table><tr><th>9.1. Things</th></tr></table><hr /></div>
<div class="sect1"><a id="id-1" class="indexterm"></a><div class="titlepage"><h2 class="title">9.1. Things</h2></div>
<div class="toc"><dl class="toc"><dt>9.1.1. Part</dt></dl></div><p>
   A <code class="literal">thing</code> is
   kept.
  </p><pre class="programlisting">
SELECT <em class="replaceable"><code>x</code></em>;
</pre></div><div class="navfooter"><hr /><a>Next</a></div></body></html>)",
								 {});
	EXPECT_EQ(page.text, "9.1. Things\n\nA thing is kept.\n\nSELECT x;\n");
	ASSERT_EQ(page.headings.size(), 1U);
	EXPECT_EQ(page.headings[0].heading, "9.1. Things");
}

TEST(Html, ReadsTheEncodingsThatFilesHave)
{
	EXPECT_EQ(text_of("<p>caf\u00E9"), "caf\u00E9\n");
	EXPECT_EQ(text_of("\xEF\xBB\xBF<p>caf\u00E9"), "caf\u00E9\n");
	EXPECT_EQ(text_of("<meta charset=iso-8859-1><p>caf\u00E9"), "caf\u00E9\n");  // valid UTF-8 whatever it claims
	EXPECT_EQ(text_of("<p>caf\xE9 \x93quoted\x94"), "caf\u00E9 \u201Cquoted\u201D\n");
	EXPECT_EQ(text_of("<meta charset=\"iso-8859-1\"><p>caf\xE9"), "caf\u00E9\n");
	EXPECT_EQ(text_of("<meta charset='KOI8-R'><p>\xD4\xC5\xD3\xD4"), "\u0442\u0435\u0441\u0442\n");
	EXPECT_EQ(text_of("<p>caf\u00E9 na\u00EFve \xFF"), "caf\u00E9 na\u00EFve \uFFFD\n");  // UTF-8 with one fault
	EXPECT_EQ(text_of("\xFF\xFE<\0p\0>\0\xE9\0"s), "\u00E9\n");
	EXPECT_EQ(text_of("<p>a\0b</p>"s), "a\uFFFDb\n");
}

TEST(Html, SurvivesHostileMarkup)
{
	auto repeated = [](std::string_view piece, std::size_t times) {
		std::string text = "<p>before</p>";
		for (std::size_t i = 0; i < times; ++i)
			text += piece;
		return text + "<p>after</p>";
	};
	std::string deep = text_of(repeated("<div>x", 100000));
	EXPECT_TRUE(deep.starts_with("before\n"));
	EXPECT_EQ(text_of(repeated("</b></i>", 100000)), "before\n\nafter\n");
	EXPECT_EQ(text_of(repeated("<!--", 100000)), "before\n");
	EXPECT_EQ(text_of(repeated("<![CDATA[<?php", 100000)), "before\n\nafter\n");
	EXPECT_EQ(text_of(repeated("<a \"", 100001)).substr(0, 6), "before");
	EXPECT_EQ(text_of(repeated("<", 1000)), "before\n\n" + std::string(1000, '<') + "\n\nafter\n");
	EXPECT_TRUE(is_valid(text_of(repeated("&#x110000;&#0;&#xD800;&bogus;&", 1000))));
	text_of("<table><tr>" + repeated("<td>", 1000000));
	std::string wide = "<h1>" + std::string(1000000, 'x') + "</h1>";
	HtmlText headings = html_to_text(wide + repeated("<h2>y</h2>", 20000), {});
	EXPECT_EQ(headings.headings.at(20000).heading.size(), 200 + std::string(" > y").size());
	std::string million = "<p>before</p><a ";
	for (int i = 0; i < 1000000; ++i)
		million += " a" + std::to_string(i);
	EXPECT_EQ(text_of(million + ">link</a>"), "before\n\nlink\n");
}

// Every prefix of a page, and pages with random damage, give valid text and marks that lie inside it, in order.
TEST(Html, SurvivesTruncationAndDamage)
{
	const std::string page = "<!DOCTYPE html><html><head><title>T &amp; t</title></head><body><h1 id='a\"b'>H</h1><p class=\"toc x\">gone</p>"
							 "<table><tr><td>a<td><p>b</table><ul><li>x<li><pre> y\n z</pre></ul><dl><dt>t<dd>d</dl>"
							 "<script>x</scri</script><textarea><p></textarea><h2>\u00E9\u4E2D</h2>tail";
	std::mt19937 random(1);
	for (std::size_t i = 0; i < page.size() + 3000; ++i) {
		std::string damaged = page.substr(0, i);
		if (i > page.size()) {
			for (int n = 0; n < 8; ++n)
				damaged[random() % damaged.size()] = "<>/\"'=& !-\0\xFFpd"[random() % 14];
		}
		HtmlText text = html_to_text(damaged, {});
		ASSERT_TRUE(is_valid(text.text)) << i;
		ASSERT_TRUE(is_valid(text.title)) << i;
		std::size_t last = 0;
		for (const HeadingMark &mark : text.headings) {
			ASSERT_GE(mark.offset, last);
			ASSERT_LT(mark.offset, text.text.size());
			last = mark.offset;
		}
	}
}

TEST(Html, PlainFormIsAFixedPoint)
{
	EXPECT_EQ(plain_html("<!-- x --><A HREF='>' Class=\"a<b\" class=c data-x>t</A ><br/>1 < 2<title>a<b</title><script>1</script>", {}),
			  "<a class=\"a b\">t</a><br />1 &lt; 2<title>a&lt;b</title><script></script>");
	std::mt19937 random(2);
	for (int i = 0; i < 20000; ++i) {
		std::string bytes;
		for (std::size_t n = random() % 40; n > 0; --n)
			bytes += "<>/\"'=! -ab"s[random() % 11];
		std::string once = plain_html(bytes, {});
		ASSERT_EQ(plain_html(once, {}), once) << bytes;
	}
}

TEST(Html, LeavesTheGlobalErrorHandlerAlone)
{
	static int heard = 0;
	heard = 0;
	xmlSetStructuredErrorFunc(nullptr, [](void *, auto) { ++heard; });
	const xmlStructuredErrorFunc own = xmlStructuredError;
	text_of("<p></b><bogus>&nope;<table></p>");
	EXPECT_EQ(xmlStructuredError, own);
	xmlSetStructuredErrorFunc(nullptr, nullptr);
	EXPECT_EQ(heard, 0);
}

TEST(Html, HearsACancel)
{
	std::string page;
	for (int i = 0; i < 10000; ++i)
		page += "<p>x</p>";
	EXPECT_THROW(html_to_text(page, {[](void *) { return true; }, nullptr}), Error);
}

TEST(Html, KnowsItsFiles)
{
	EXPECT_TRUE(looks_like_html("a/b.HTML", ""));
	EXPECT_TRUE(looks_like_html("x.htm", ""));
	EXPECT_TRUE(looks_like_html("x", "\n<!DOCTYPE HTML>"));
	EXPECT_TRUE(looks_like_html("x", "\xEF\xBB\xBF<html lang=en>"));
	EXPECT_FALSE(looks_like_html("x.md", "# text <html>"));
	EXPECT_FALSE(looks_like_html("", ""));
}
