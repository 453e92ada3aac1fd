/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The status page: one document with its style and its drawing in it, that
 * fetches nothing and runs nothing.
 */

#include <string.h>

#include "page.h"

#define DAY (24 * 60 * 60)
#define HOUR (60 * 60)

/* Light and dark as the browser is set; one column on a phone. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#59636e;"
    "--line:#d1d9e0;--card:#f6f8fa;--good:#1a7f37;--bad:#b3261e;"
    "--warn:#8a5a00}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;"
    "--soft:#9aa4af;--line:#30363d;--card:#161b22;--good:#3fb950;"
    "--bad:#ff7b72;--warn:#e3b341}}\n"
    "body{margin:0 auto;max-width:52rem;padding:1rem;background:var(--paper);"
    "color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.4rem;margin:.5rem 0;overflow-wrap:anywhere}\n"
    "h2{font-size:1.05rem;margin:1.5rem 0 .5rem}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))"
    ";gap:.6rem;margin:0}\n"
    "dl div{background:var(--card);border:1px solid var(--line);"
    "border-radius:6px;padding:.5rem .75rem}\n"
    "dt{color:var(--soft);font-size:.85rem}\n"
    "dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}\n"
    ".warn dd{color:var(--warn)}.bad dd{color:var(--bad)}\n"
    "svg{width:100%;height:auto;display:block}\n"
    "svg text{fill:var(--soft);font:14px system-ui,sans-serif}\n"
    ".grid{stroke:var(--line)}.issued{fill:var(--good)}"
    ".refused{fill:var(--bad)}\n"
    ".key{color:var(--soft);font-size:.85rem}"
    ".key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 "
    ".8em}\n"
    "span.issued{background:var(--good)}span.refused{background:var(--bad)}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .5rem .35rem 0;"
    "border-top:1px solid var(--line);overflow-wrap:anywhere}\n"
    "th{color:var(--soft);font-weight:normal;white-space:nowrap}\n"
    "code{font:.85em ui-monospace,monospace}\n";

void
html_text(BIO *out, const char *text)
{
	size_t n;

	while (*text != '\0') {
		n = strcspn(text, "&<>\"'");
		(void)BIO_write(out, text, (int)n);
		text += n;
		switch (*text) {
		case '\0':
			return;
		case '&':
			(void)BIO_puts(out, "&amp;");
			break;
		case '<':
			(void)BIO_puts(out, "&lt;");
			break;
		case '>':
			(void)BIO_puts(out, "&gt;");
			break;
		case '"':
			(void)BIO_puts(out, "&quot;");
			break;
		default:
			(void)BIO_puts(out, "&#39;");
		}
		text++;
	}
}

/* id names the number for whoever reads the page with a program. */
static void
number(
    BIO *out, const char *id, const char *label, const char *class, long long n)
{
	(void)BIO_printf(out,
	    "<div%s%s%s><dt>%s</dt><dd id=\"%s\">%lld</dd></div>\n",
	    n > 0 && class != NULL ? " class=\"" : "",
	    n > 0 && class != NULL ? class : "",
	    n > 0 && class != NULL ? "\"" : "", label, id, n);
}

static void
numbers(BIO *out, const struct counts *c)
{
	(void)BIO_puts(out, "<h2>Certificates</h2>\n<dl>\n");
	number(out, "issued", "issued", NULL, c->issued);
	number(out, "good", "good now", NULL, c->good);
	number(out, "expiring", "expire within 30 days", "warn", c->expiring);
	number(out, "held", "on hold", "warn", c->held);
	number(out, "revoked", "revoked", NULL, c->revoked);
	number(out, "expired", "expired", NULL, c->expired);
	number(out, "unconfirmed", "not confirmed yet", NULL, c->unconfirmed);
	(void)BIO_puts(out, "</dl>\n<h2>Requests</h2>\n<dl>\n");
	number(out, "waiting", "wait for the operator", "warn", c->waiting);
	number(out, "approved", "approved", NULL, c->approved);
	number(out, "denied", "denied", NULL, c->denied);
	number(out, "refused", "refused by policy", NULL, c->refused);
	number(out, "failed", "proofs that failed", "bad", c->failed);
	number(out, "invites", "open invites", NULL, c->invites);
	(void)BIO_puts(out, "</dl>\n");
}

static void
date(BIO *out, time_t t)
{
	char text[32];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) == 0)
		text[0] = '\0';
	(void)BIO_puts(out, text);
}

/* "3 days", "5 hours": how long that is. */
static void
span(BIO *out, time_t seconds)
{
	long long n = seconds >= 2 * DAY ? seconds / DAY : seconds / HOUR;

	(void)BIO_printf(out, "%lld %s%s", n,
	    seconds >= 2 * DAY ? "day" : "hour", n == 1 ? "" : "s");
}

static void
crl_row(BIO *out, const struct counts *c, time_t now)
{
	(void)BIO_puts(out, "<tr><th>Revocation list</th><td id=\"crl\">");
	if (c->crl_made == 0) {
		(void)BIO_puts(out, "none yet");
	} else {
		(void)BIO_puts(out, "made ");
		date(out, c->crl_made);
		(void)BIO_puts(out, ", ");
		span(out, now > c->crl_made ? now - c->crl_made : 0);
		(void)BIO_puts(out, " old; ");
		(void)BIO_puts(
		    out, now > c->crl_next ? "out of date since " : "next by ");
		date(out, c->crl_next);
	}
	(void)BIO_puts(out, "</td></tr>\n");
}

static void
facts(BIO *out, const struct page *p)
{
	(void)BIO_puts(out,
	    "<h2>Authority</h2>\n<table>\n"
	    "<tr><th>Fingerprint (SHA-256)</th>"
	    "<td><code id=\"fingerprint\">");
	html_text(out, p->fingerprint);
	(void)BIO_puts(out,
	    "</code></td></tr>\n"
	    "<tr><th>Certificate ends</th><td>");
	date(out, p->ends);
	(void)BIO_puts(out, "</td></tr>\n");
	crl_row(out, p->counts, p->now);
	(void)BIO_puts(out, "<tr><th>As of</th><td>");
	date(out, p->now);
	(void)BIO_puts(out, "</td></tr>\n</table>\n");
}

void
page_print(BIO *out, const struct page *p)
{
	(void)BIO_puts(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>");
	html_text(out, p->name);
	(void)BIO_puts(out, "</title>\n<style>\n");
	(void)BIO_puts(out, style);
	(void)BIO_puts(out, "</style>\n</head>\n<body>\n<h1 id=\"name\">");
	html_text(out, p->name);
	(void)BIO_puts(out, "</h1>\n");
	numbers(out, p->counts);
	(void)BIO_printf(out,
	    "<h2>The last %d days</h2>\n<p class=\"key\">"
	    "<span class=\"issued\"></span>issued"
	    "<span class=\"refused\"></span>refused</p>\n",
	    COUNT_DAYS);
	chart_print(out, p->counts, p->now);
	facts(out, p);
	(void)BIO_puts(out, "</body>\n</html>\n");
}
