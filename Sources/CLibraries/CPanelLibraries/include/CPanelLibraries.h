// FreeType, FriBidi and libqrencode, loaded when they are first used: see libraries.c.
#pragma once

// The name of one that is not there, or NULL: without it their functions do nothing.
const char *CPanelLibraries_missing(void);
