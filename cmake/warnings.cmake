# SPDX-License-Identifier: BSD-2-Clause
# libfido2's warning set, hardening, and the sanitizers when asked for.
function(burin_warnings target)
	target_compile_options(${target} INTERFACE -Wall -Wextra
	    -Wshadow -Wcast-qual -Wwrite-strings -Wmissing-prototypes
	    -Wstrict-prototypes -Wbad-function-cast -Wconversion
	    -Wsign-conversion -Wformat=2 -Wundef -Wpointer-arith
	    -Wnull-dereference -Wimplicit-fallthrough -pedantic-errors
	    -fstack-protector-strong -fno-common)
	if(BURIN_WERROR)
		target_compile_options(${target} INTERFACE -Werror)
	endif()
	if(BURIN_SANITIZE)
		target_compile_options(${target} INTERFACE
		    -fsanitize=address,undefined -fno-sanitize-recover=all
		    -fno-omit-frame-pointer)
		target_link_options(${target} INTERFACE
		    -fsanitize=address,undefined)
	endif()
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		target_compile_options(${target} INTERFACE
		    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
	endif()
	target_link_options(${target} INTERFACE -Wl,-z,relro,-z,now)
endfunction()
