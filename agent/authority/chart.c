/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The chart of the status page: certificates issued and requests refused on
 * each of the last days, drawn as SVG.
 */

#include <string.h>

#include "page.h"

#define DAY (24 * 60 * 60)
#define WIDTH 600  /* of the drawing, in its own units */
#define HEIGHT 160 /* of the bars */
#define LEFT 36	   /* room for the numbers of the axis */
#define TOP 10
#define LABELS 24 /* below: dates */

/* The least "round" number that is not below n: 1, 2 or 5 times 10^k. */
static long long
round_up(long long n)
{
	static const int steps[] = { 1, 2, 5 };
	long long unit = 1;
	size_t i;

	for (;; unit *= 10)
		for (i = 0; i < 3; i++)
			if (steps[i] * unit >= n)
				return steps[i] * unit;
}

/* Of an axis short, else whole. */
static void
day_text(char out[16], time_t day, int is_short)
{
	struct tm tm;
	size_t n = 0;

	if (gmtime_r(&day, &tm) != NULL)
		n = is_short ? strftime(out, 16, "%b %d", &tm)
			     : strftime(out, 16, "%Y-%m-%d", &tm);
	if (n == 0)
		out[0] = '\0';
}

/* Height of n when the axis ends at top. */
static double
height(long long n, long long top)
{
	return (double)n * HEIGHT / (double)top;
}

static void
axis(BIO *out, long long top)
{
	int i;

	for (i = 0; i <= 2; i++) {
		double y = TOP + HEIGHT - height(top * i / 2, top);

		if (i == 1 && top < 2)
			continue;
		(void)BIO_printf(out,
		    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
		    "y2=\"%.1f\"/>\n<text x=\"%d\" y=\"%.1f\" "
		    "text-anchor=\"end\">%lld</text>\n",
		    LEFT, WIDTH, y, y, LEFT - 6, y + 4, top * i / 2);
	}
}

static void
bar(BIO *out, const char *kind, double x, double y, double width, double tall)
{
	if (tall > 0)
		(void)BIO_printf(out,
		    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		    "height=\"%.1f\"/>\n",
		    kind, x, y, width, tall);
}

/* Issued, and the refused on top of them; a title for who points there. */
static void
day_bars(BIO *out, const struct counts *c, int i, time_t day, long long top)
{
	const double step = (double)(WIDTH - LEFT) / COUNT_DAYS;
	double x = LEFT + i * step + 2;
	double done = height(c->issued_on[i], top);
	double refused = height(c->refused_on[i], top);
	char date[16];

	day_text(date, day, 0);
	(void)BIO_printf(out,
	    "<g><title>%s: %lld issued, %lld refused</title>\n", date,
	    c->issued_on[i], c->refused_on[i]);
	bar(out, "issued", x, TOP + HEIGHT - done, step - 4, done);
	bar(out, "refused", x, TOP + HEIGHT - done - refused, step - 4,
	    refused);
	(void)BIO_printf(out, "</g>\n");
	/* A date for each week, counted from today. */
	if ((COUNT_DAYS - 1 - i) % 7 == 0) {
		day_text(date, day, 1);
		(void)BIO_printf(out,
		    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
		    i == COUNT_DAYS - 1 ? (double)WIDTH : x + step / 2 - 2,
		    TOP + HEIGHT + 18, i == COUNT_DAYS - 1 ? "end" : "middle",
		    date);
	}
}

void
chart_print(BIO *out, const struct counts *c, time_t now)
{
	long long most = 1;
	int i;

	for (i = 0; i < COUNT_DAYS; i++)
		if (c->issued_on[i] + c->refused_on[i] > most)
			most = c->issued_on[i] + c->refused_on[i];
	most = round_up(most);
	(void)BIO_printf(out,
	    "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Issued and "
	    "refused per day, the last %d days\">\n",
	    WIDTH, TOP + HEIGHT + LABELS, COUNT_DAYS);
	axis(out, most);
	for (i = 0; i < COUNT_DAYS; i++)
		day_bars(
		    out, c, i, now - (time_t)(COUNT_DAYS - 1 - i) * DAY, most);
	(void)BIO_printf(out, "</svg>\n");
}
