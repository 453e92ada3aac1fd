#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The status page as a browser has it: its numbers are those of the store,
# names are text, nothing is fetched or run, and a picture of it shows them in
# light and dark; the metrics as a collector reads them.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl openssl python3

softhsm_token test-ca
ca_module=(--module "$SOFTHSM")
# A name that would be markup.
name='<b>Lab & "Söhne"</b>'
b 0 authority init "$work/ca" --token test-ca --name "$name" \
	--pin-source "file:$work/pin"
authority_serve
ca=$work/ca/ca.pem
get() {
	curl -sS --cacert "$ca" -D "$work/headers" -o "$work/answer" \
		-w '%{http_code}' "$@"
}
enroll() { # NAME STATUS KEY
	local code
	openssl req -new -key "$work/$3.key" -subj "/CN=$1" -outform DER \
		-addext "subjectAltName=DNS:$1.example" -out "$work/$1.der"
	code=$(get -H 'Content-Type: application/pkcs10' \
		-u "$1:$(<"$work/secret-$1")" --data-binary "@$work/$1.der" \
		"$url/.well-known/est/simpleenroll")
	[[ $code == "$2" ]] || die "$1: $code: $(<"$work/answer")"
}

# number ID: as the document in $work/page says.
number() { grep -oP "id=\"$1\">\\K[0-9]+" "$work/page"; }
# Of the certificates and the requests since the authority's own ones.
own=0
numbers() { printf '%s ' "$(($(number issued) - own))" \
	"$(($(number good) - own))" "$(number refused)" "$(number waiting)" \
	"$(number invites)"; }
[[ $(get "$url/") == 200 ]] || die 'no page'
cp "$work/answer" "$work/page"
own=$(number issued)
[[ $(numbers) == '0 0 0 0 0 ' ]] || die "numbers: $(numbers)"

for i in a b c; do
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out "$work/$i.key" 2>/dev/null
	invite "$i" default
done
invite thief default
enroll a 200 a
enroll b 200 b
enroll c 200 c
enroll thief 403 a # the key is another's

[[ $(get "$url/") == 200 ]] || die 'no page'
cp "$work/answer" "$work/page"
[[ $(numbers) == '3 3 1 0 1 ' ]] || die "numbers: $(numbers)"
grep -qF 'Lab &amp; ' "$work/page" || die 'the name is not there'
grep -qF '&lt;b' "$work/page" || die 'the name is not whole'
grep -qF '<b>' "$work/page" && die 'the name is markup'
grep -qF "$(openssl x509 -in "$ca" -noout -fingerprint -sha256 |
	cut -d= -f2)" "$work/page" || die 'fingerprint'
grep -qi "^content-security-policy: default-src 'none'" "$work/headers" ||
	die 'policy'
grep -qiE '<script|https?://|src=|url\(|@import' "$work/page" &&
	die 'something is run or fetched'
python3 - "$work/page" <<'END' || die 'not well formed'
import html.parser, sys
void = {"meta", "line", "rect"}
class Check(html.parser.HTMLParser):
    stack, bars = [], 0
    def handle_starttag(self, tag, attrs):
        if tag not in void:
            self.stack.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.bars += tag == "rect" and ("class", "issued") in attrs
    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, tag
c = Check()
c.feed(open(sys.argv[1], encoding="utf-8").read())
assert not c.stack and c.bars == 1, (c.stack, c.bars)
END
ok 'the page has the numbers of the store'

# --- metrics -----------------------------------------------------------------------

[[ $(get "$url/metrics") == 200 ]] || die 'no metrics'
grep -qi '^content-type: text/plain; version=0.0.4' "$work/headers" ||
	die 'type of metrics'
python3 - "$work/answer" "$own" <<'END' || die 'metrics'
import re, sys
values, typed = {}, {}
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("# TYPE "):
        typed[line.split()[2]] = line.split()[3]
    elif not line.startswith("#"):
        m = re.fullmatch(r'([a-z_]+)(\{[^}]*\})? ([-+0-9.e]+)\n', line)
        assert m, line
        base = re.sub("_(bucket|sum|count)$", "", m[1])
        assert m[1] in typed or typed.get(base) == "histogram", line
        assert m[1] + (m[2] or "") not in values, line
        values[m[1] + (m[2] or "")] = float(m[3])
def is_(name, value):
    assert values[name] == value, (name, values[name])
own = int(sys.argv[2])
is_("burin_issued_total", own + 3)
is_("burin_refused_total", 1)
is_('burin_certificates{state="good"}', own + 3)
is_('burin_http_answers_total{operation="simpleenroll",status="200"}', 3)
is_('burin_http_answers_total{operation="simpleenroll",status="403"}', 1)
is_('burin_http_answers_total{operation="page",status="200"}', 2)
op = 'burin_http_answer_seconds_%s{operation="simpleenroll"%s}'
is_(op % ("count", ""), 4)
is_(op % ("bucket", ',le="+Inf"'), 4)
assert values[op % ("sum", "")] > 0
counts = [v for k, v in values.items()
          if k.startswith("burin_http_answer_seconds_bucket")
          and "simpleenroll" in k]
assert counts == sorted(counts), counts
END
ok 'the metrics have them, too'

# --- who sees it ------------------------------------------------------------------------

again() {
	kill "$authority_pid"
	wait "$authority_pid"
	sed -i "s/^page = .*/page = $1/" "$work/ca/authority.cnf"
	authority_serve
}
again off
for path in / /metrics; do
	[[ $(get "$url$path") == 404 ]] || die "$path is there"
done
again local
[[ $(get "$url/" -X POST) == 405 ]] || die 'POST to the page'
ok 'the page can be switched off'

# --- the CRL ------------------------------------------------------------------------------

[[ $(get "$url/ca.crl") == 200 ]] || die 'no CRL'
grep -qi '^content-type: application/pkix-crl' "$work/headers" || die 'type'
openssl crl -inform DER -in "$work/answer" -CAfile "$ca" -noout \
	2>"$work/err" || die 'the CRL does not verify'
[[ $(get "$url/") == 200 ]] || die 'no page'
grep -q 'id="crl">made ' "$work/answer" || die 'the page knows of no CRL'
cp "$work/answer" "$work/page"
ok 'ca.crl'

# --- in a browser -----------------------------------------------------------------------------

browser=$(command -v chromium-headless-shell || command -v chromium) ||
	skip 'no chromium'
# look OUT DARK SIZE ACTION: what the browser makes of the page.
look() {
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu \
		--ignore-certificate-errors --user-data-dir="$work/browser" \
		--blink-settings="preferredColorScheme=$2" \
		--window-size="$3" "$4" "$url/" >"$1" 2>"$work/err" ||
		die "the browser: $?"
}
look "$work/page" 1 900,1500 --dump-dom
[[ $(numbers) == '3 3 1 0 1 ' ]] || die "numbers in the browser: $(numbers)"
grep -qF 'Lab &amp; ' "$work/page" || die 'the name in the browser'
look "$work/out" 1 900,1500 "--screenshot=$work/light.png"
look "$work/out" 0 400,1800 "--screenshot=$work/dark.png"
[[ -z ${SCREENSHOTS:-} ]] || cp "$work"/{light,dark}.png "$SCREENSHOTS"
python3 "$SOURCE_DIR/tests/e2e/look.py" $((own + 3)) \
	"$work/light.png" "$work/dark.png" 2>"$work/err" || die 'the pictures'
ok 'a browser shows it, light and dark'
