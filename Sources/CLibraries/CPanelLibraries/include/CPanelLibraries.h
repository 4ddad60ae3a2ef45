// FreeType, FriBidi and libqrencode, loaded when they are first used: see libraries.c.
#pragma once
