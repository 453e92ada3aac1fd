# SPDX-License-Identifier: BSD-2-Clause
# Everything where Debian expects it.
install(TARGETS burin RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS burin-consumer-check burin-mime
    RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/burin)
install(TARGETS burin_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/burin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")

configure_file(cmake/burin.pc.in ${CMAKE_BINARY_DIR}/burin.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/burin.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(section 1 5 7)
	file(GLOB pages CONFIGURE_DEPENDS docs/man/*.${section})
	install(FILES ${pages}
	    DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

install(DIRECTORY docs/profiles/ DESTINATION
    ${CMAKE_INSTALL_DATADIR}/burin/profiles FILES_MATCHING PATTERN "*.cnf")
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Completion comes from the program's own option tables.
set(completion ${CMAKE_BINARY_DIR}/completion)
file(MAKE_DIRECTORY ${completion})
foreach(shell bash zsh)
	add_custom_command(OUTPUT ${completion}/${shell}
	    COMMAND burin completion ${shell} > ${completion}/${shell}
	    DEPENDS burin VERBATIM)
endforeach()
add_custom_target(completion ALL
    DEPENDS ${completion}/bash ${completion}/zsh)
install(FILES ${completion}/bash RENAME burin
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completion}/zsh RENAME _burin
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)

set(rules ${CMAKE_BINARY_DIR}/70-burin.rules)
add_custom_command(OUTPUT ${rules}
    COMMAND ${CMAKE_SOURCE_DIR}/udev/check.sh ${CMAKE_SOURCE_DIR}/udev/devices
    COMMAND awk -f ${CMAKE_SOURCE_DIR}/udev/genrules.awk
	${CMAKE_SOURCE_DIR}/udev/devices > ${rules}
    DEPENDS udev/devices udev/genrules.awk udev/check.sh VERBATIM)
add_custom_target(udev-rules ALL DEPENDS ${rules})
set(BURIN_UDEVDIR lib/udev/rules.d CACHE STRING "udev rules go here")
set(BURIN_UNITDIR lib/systemd/system CACHE STRING "systemd units go here")
install(FILES ${rules} DESTINATION ${BURIN_UDEVDIR})
configure_file(udev/burin-authority@.service.in
    ${CMAKE_BINARY_DIR}/burin-authority@.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/burin-authority@.service
    DESTINATION ${BURIN_UNITDIR})
install(FILES udev/burin-authority@.socket
    udev/burin-authority-http@.socket DESTINATION ${BURIN_UNITDIR})
set(BURIN_SYSUSERSDIR lib/sysusers.d CACHE STRING "sysusers.d files go here")
install(FILES udev/burin.sysusers RENAME burin.conf
    DESTINATION ${BURIN_SYSUSERSDIR})
