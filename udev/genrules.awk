# SPDX-License-Identifier: BSD-2-Clause
# Turns the device table into udev rules: the logged-in user may use the
# token (systemd's uaccess for smart card readers), and systemd sees it.
BEGIN {
	print "# Generated from the device table; do not edit."
	print "ACTION==\"remove\", GOTO=\"burin_end\""
	print "SUBSYSTEM!=\"usb\", GOTO=\"burin_end\""
	print "ENV{DEVTYPE}!=\"usb_device\", GOTO=\"burin_end\""
	print ""
}
/^#/ || NF == 0 { next }
{
	name = $3
	for (i = 4; i <= NF; i++)
		name = name " " $i
	product = $2 == "*" ? "" : sprintf("ATTR{idProduct}==\"%s\", ", $2)
	printf "# %s\nATTR{idVendor}==\"%s\", %sENV{ID_SMARTCARD_READER}=\"1\", ENV{ID_BURIN_TOKEN}=\"1\", TAG+=\"systemd\"\n", name, $1, product
}
END { print "\nLABEL=\"burin_end\"" }
