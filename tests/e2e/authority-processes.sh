#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The processes of "authority serve": what the front has not, stopping in the
# middle of an enrolment, the end of each of them by force, a module that
# hangs, a token that goes and comes back.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl jq openssl pgrep python3

mock_token test-ca
here=$work/here calls=$work/calls
touch "$here"
ca_module=("${module[@]}")
# conf LINE...: how the mock behaves from its next start on.
conf() {
	{
		printf 'label=test-ca\npresent_file=%s\ncalls_file=%s\n' \
			"$here" "$calls"
		(($# == 0)) || printf '%s\n' "$@"
	} >"$BURIN_MOCK"
}
conf
b 0 authority init "$work/ca" --token test-ca --name 'Test CA' \
	--pin-source "file:$work/pin"

# start OPTION...: serves; $program, $keeper, $front are its processes.
start() {
	: >"$work/log"
	: >"$work/ready"
	: >"$calls"
	burin "${ca_module[@]}" authority serve "$work/ca" \
		--listen 127.0.0.1:0 "$@" >"$work/ready" 2>"$work/log" &
	authority_pid=$!
	program=$!
	local i
	for ((i = 0; i < 300; i++)); do
		[[ -s $work/ready ]] && break
		kill -0 "$program" 2>/dev/null || break
		sleep 0.1
	done
	url=$(grep -oE 'https://[^" ]+' "$work/ready") ||
		die "not ready: $(<"$work/log")"
	keeper=$(pgrep -P "$program") || die "no keeper"
	front=$(pgrep -P "$keeper") || die "no front"
	[[ $keeper$front =~ ^[0-9]+$ ]] || die "too many: $keeper / $front"
	est=$url/.well-known/est
}
pin=(--pin-source "file:$work/pin")
# over STATUS: the program has ended so, and nobody is left.
over() {
	local got=0 i p
	wait "$program" 2>/dev/null || got=$?
	authority_pid=
	[[ $got == "$1" ]] || die "exit $got, not $1: $(<"$work/log")"
	for p in "$keeper" "$front"; do
		for ((i = 0; i < 150; i++)); do
			kill -0 "$p" 2>/dev/null || break
			sleep 0.1
		done
		! kill -0 "$p" 2>/dev/null || die "$p is left over"
	done
	! grep -qE 'Sanitizer|runtime error' "$work/log" ||
		die "found by a sanitizer: $(<"$work/log")"
}
logged() { grep -qF -- "$1" "$work/log" || die "does not say $1: $(<"$work/log")"; }
n=0
# enrol: a new name and key; HTTP status in $code.
request() {
	((n += 1))
	invite "name$n" default
	openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-keyout "$work/name.key" -subj "/CN=name$n" -outform DER \
		-out "$work/name.der" 2>/dev/null || die "openssl req"
}
post() {
	curl -sS --cacert "$work/ca/ca.pem" -o "$work/answer" \
		-w '%{http_code}' -H 'Content-Type: application/pkcs10' \
		-u "name$n:$(<"$work/secret-name$n")" \
		--data-binary "@$work/name.der" "$est/simpleenroll"
}
enrol() {
	request
	code=$(post 2>"$work/err") || code=none
}

# --- what the front has not ---------------------------------------------------------

PIN_HERE=123456 start --pin-source env:PIN_HERE
enrol
[[ $code == 200 ]] || die "status $code"
if [[ -r /proc/$front/maps && -r /proc/$keeper/maps ]]; then
	grep -q burin-mock "/proc/$keeper/maps" || die "the keeper has no module"
	! grep -E 'burin-mock|pkcs11|softhsm|opensc|ykcs11' \
		"/proc/$front/maps" || die "the front has a module"
	! tr '\0' '\n' <"/proc/$front/environ" | grep 123456 ||
		die "the front has the PIN"
	tr '\0' '\n' <"/proc/$keeper/environ" | grep -q 123456 ||
		die "the keeper has none"
	# Standard streams, the door, the socket, the store, what MHD needs.
	readlink "/proc/$front"/fd/* >"$work/fds"
	! grep -vE '^(/dev/null|pipe:|socket:|anon_inode:|/.*/(ready|log))|/ca/' \
		"$work/fds" || die "the front has more open than it needs"
	grep -q '/ca/authority.db' "$work/fds" || die "no store in the front"
	! readlink "/proc/$keeper"/fd/* | grep /ca/ ||
		die "the keeper has the store open"
	ok 'no module, no PIN and no strange descriptor in the front'
else
	printf 'SKIPPED: /proc of the front cannot be read here\n'
fi
[[ $(awk '/^NoNewPrivs/ { print $2 }' "/proc/$front/status") == 1 ]] ||
	die "the front may gain privileges"
[[ $(grep -c '^C_Login CKR_OK' "$calls") == 1 ]] || die "not one login"
kill -TERM "$program"
over 0
logged 'stopping on signal'
ls "$work/ca" >"$work/files"
! grep -E 'journal|tmp' "$work/files" || die 'files are left over'
ok 'SIGTERM stops both'

# --- in the middle of an enrolment -----------------------------------------------------

conf delay=150
start "${pin[@]}"
request
post >"$work/code" 2>"$work/err" &
client=$!
# The first signature is for TLS, the second is the CA's.
for ((i = 0; i < 200; i++)); do
	(($(grep -c C_SignInit "$calls") == 2)) && break
	sleep 0.05
done
kill -TERM "$program"
wait "$client" || die "the client was not answered: $(<"$work/err")"
[[ $(<"$work/code") == 200 ]] || die "status $(<"$work/code")"
over 0
ok 'what is under way is answered before it stops'

# --- what the front cannot reach ----------------------------------------------------

# A profile is read when a request names it: the way of a link out of DIR is
# that of whatever else is told to open it.
mkdir "$work/elsewhere"
cp "$work/ca/profiles/default.cnf" "$work/elsewhere/"
ln -s "$work/elsewhere/default.cnf" "$work/ca/profiles/outside.cnf"
conf
start "${pin[@]}" --json
landlock=$(jq -r .landlock "$work/ready")
label() {
	curl -sS --cacert "$work/ca/ca.pem" -o "$work/answer" \
		-w '%{http_code}' "$est/$1/cacerts"
}
[[ $(label default) == 200 ]] || die 'a profile of its own'
if ((landlock > 0)); then
	[[ $(label outside) == 404 ]] || die 'the front reads files elsewhere'
	ok "nothing outside is open to the front (Landlock $landlock)"
else
	[[ $(label outside) == 200 ]] || die 'a link to a profile'
	logged 'no Landlock in this kernel'
	printf 'SKIPPED: this kernel has no Landlock\n'
fi
rm "$work/ca/profiles/outside.cnf"
kill -TERM "$program"
over 0

# --- by force ---------------------------------------------------------------------------------

conf
start "${pin[@]}" --json
is_ready=$(jq -r .status "$work/ready")
[[ $is_ready == ready ]] || die "not JSON: $(<"$work/ready")"
kill -KILL "$front"
over 9
logged 'died of signal 9'
[[ $(jq -s length "$work/ready") == 1 ]] || die "two objects"
start "${pin[@]}" --json
kill -KILL "$keeper"
over 9
logged 'died of signal 9'
[[ $(jq -s length "$work/ready") == 1 ]] || die "two objects"
start "${pin[@]}"
kill -KILL "$program"
over 137
start "${pin[@]}"
enrol
[[ $code == 200 ]] || die "status $code after all that"
port=${url##*:}
got=0
burin "${ca_module[@]}" authority serve "$work/ca" --json \
	--listen "127.0.0.1:$port" "${pin[@]}" >"$work/out" 2>"$work/err" ||
	got=$?
[[ $got == 1 ]] || die "exit $got for a port that is taken"
is .error.code listen-failed
[[ $(jq -s length "$work/out") == 1 ]] || die "two objects"
kill -INT "$program"
over 0
ok 'kill -9 of each ends all; a port that is taken is told once'

# --- a module that hangs ---------------------------------------------------------------------

conf hang=C_Sign:2
BURIN_CALL_TIMEOUT=5 start "${pin[@]}"
enrol
# Its keeper is ended, and the front answers what it can before it goes.
[[ $code == 503 ]] || die "status $code from a token that hangs"
over 9
logged 'did not come back from C_Sign within 5 s'
ok 'a call that hangs has its deadline'

# --- a token that goes ---------------------------------------------------------------------------

conf
start "${pin[@]}"
request
# The connection is there before the token goes: TLS needs its key.
cat >"$work/late.py" <<'PY'
import base64, http.client, os, ssl, sys, urllib.parse
url, ca, here, name, secret, der = sys.argv[1:]
u = urllib.parse.urlparse(url)
c = http.client.HTTPSConnection(
    u.hostname, u.port, context=ssl.create_default_context(cafile=ca))
c.request("GET", u.path + "/cacerts")
c.getresponse().read()
os.unlink(here)
auth = base64.b64encode(f"{name}:{secret}".encode()).decode()
def enrol():
    c.request("POST", u.path + "/simpleenroll", open(der, "rb").read(), {
        "Content-Type": "application/pkcs10", "Authorization": "Basic " + auth})
    r = c.getresponse()
    r.read()
    print(r.status, r.headers.get("Retry-After"))
enrol()
enrol()
open(here, "w").close()
import time
time.sleep(1.5)
enrol()
PY
python3 "$work/late.py" "$est" "$work/ca/ca.pem" "$here" "name$n" \
	"$(<"$work/secret-name$n")" "$work/name.der" >"$work/out" 2>"$work/err" ||
	die "late.py"
[[ $(<"$work/out") == $'503 30\n503 30\n200 None' ]] ||
	die "not 503, 503, 200: $(<"$work/out")"
enrol
[[ $code == 200 ]] || die "status $code when it is back"
[[ $(grep -c '^C_Login CKR_OK' "$calls") == 2 ]] || die "not two logins"
ok 'a token that comes back is used again'

# Another PIN when it is back: one try, and no second one.
rm "$here"
enrol
[[ $code == none ]] || die "status $code without token"
touch "$here"
printf '123456\n654321\n' >"$work/pins"
pkcs11-tool --module "$BUILD_DIR/mock/burin-mock.so" --token-label test-ca \
	--login --pin 123456 --change-pin --new-pin 654321 \
	>"$work/out" 2>"$work/err" || die "pkcs11-tool"
: >"$calls"
for i in 1 2 3; do
	sleep 1.2
	enrol
	[[ $code == none ]] || die "status $code with a wrong PIN"
done
[[ $(grep -c '^C_Login' "$calls") == 1 ]] ||
	die "tries: $(grep '^C_Login' "$calls")"
kill -TERM "$program"
over 0
ok 'a PIN that is wrong is tried once'
