# SPDX-License-Identifier: BSD-2-Clause
install(TARGETS burin burin_shared)
