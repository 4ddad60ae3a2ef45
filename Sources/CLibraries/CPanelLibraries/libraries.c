// What draws the panel's pictures and codes comes after the beacon, and not at all where nothing is drawn: FreeType,
// FriBidi and libqrencode bring seven libraries, which the dynamic linker would take a tenth of the time to the beacon for.
// Each function that is used stands here under its own name and looks for the library's. Linked with --as-needed the
// executable then needs none of them to start.
#include "CPanelLibraries.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H
#include <fribidi.h>
#include <qrencode.h>

#define FREETYPE "libfreetype.so.6"
#define BIDI "libfribidi.so.0"
#define QRENCODE "libqrencode.so.4"

// A function of a library, or NULL, which standard error tells of.
static void *find(const char *library, const char *name, _Atomic(void *) *known) {
  void *function = atomic_load_explicit(known, memory_order_acquire);
  if (function) return function;
  // It stays loaded: nobody closes what was opened here.
  void *handle = dlopen(library, RTLD_NOW);
  function = handle ? dlsym(handle, name) : NULL;
  if (!function) {
    const char *reason = dlerror();
    fprintf(stderr, "kibitz-local: %s; install the package that %s is in\n", reason ? reason : name, library);
  }
  atomic_store_explicit(known, function, memory_order_release);
  return function;
}

const char *CPanelLibraries_missing(void) {
  static const char *const libraries[] = {FREETYPE, BIDI, QRENCODE};
  static atomic_bool are_there;
  if (atomic_load(&are_there)) return NULL;
  for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++)
    if (!dlopen(libraries[i], RTLD_NOW)) return libraries[i];
  atomic_store(&are_there, true);
  return NULL;
}

#define FUNCTION(library, result, otherwise, name, parameters, arguments) \
  result name parameters {                                                \
    static _Atomic(void *) known;                                         \
    result(*function) parameters = (result(*) parameters)find(library, #name, &known); \
    return function ? function arguments : otherwise;                     \
  }

FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Init_FreeType, (FT_Library * library), (library))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Done_FreeType, (FT_Library library), (library))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_New_Face,
         (FT_Library library, const char *path, FT_Long index, FT_Face *face), (library, path, index, face))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Done_Face, (FT_Face face), (face))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Set_Pixel_Sizes,
         (FT_Face face, FT_UInt width, FT_UInt height), (face, width, height))
FUNCTION(FREETYPE, FT_UInt, 0, FT_Get_Char_Index, (FT_Face face, FT_ULong code), (face, code))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Load_Glyph, (FT_Face face, FT_UInt glyph, FT_Int32 flags),
         (face, glyph, flags))
FUNCTION(FREETYPE, FT_Error, FT_Err_Cannot_Open_Resource, FT_Get_Advance,
         (FT_Face face, FT_UInt glyph, FT_Int32 flags, FT_Fixed *advance), (face, glyph, flags, advance))

FUNCTION(BIDI, void, (void)0, fribidi_get_bidi_types,
         (const FriBidiChar *text, const FriBidiStrIndex length, FriBidiCharType *types), (text, length, types))
FUNCTION(BIDI, void, (void)0, fribidi_get_bracket_types,
         (const FriBidiChar *text, const FriBidiStrIndex length, const FriBidiCharType *types,
          FriBidiBracketType *brackets),
         (text, length, types, brackets))
FUNCTION(BIDI, void, (void)0, fribidi_get_joining_types,
         (const FriBidiChar *text, const FriBidiStrIndex length, FriBidiJoiningType *types), (text, length, types))
FUNCTION(BIDI, FriBidiLevel, 0, fribidi_get_par_embedding_levels_ex,
         (const FriBidiCharType *types, const FriBidiBracketType *brackets, const FriBidiStrIndex length,
          FriBidiParType *direction, FriBidiLevel *levels),
         (types, brackets, length, direction, levels))
FUNCTION(BIDI, void, (void)0, fribidi_join_arabic,
         (const FriBidiCharType *types, const FriBidiStrIndex length, const FriBidiLevel *levels,
          FriBidiArabicProp *properties),
         (types, length, levels, properties))
FUNCTION(BIDI, FriBidiLevel, 0, fribidi_reorder_line,
         (FriBidiFlags flags, const FriBidiCharType *types, const FriBidiStrIndex length, const FriBidiStrIndex offset,
          const FriBidiParType direction, FriBidiLevel *levels, FriBidiChar *visual, FriBidiStrIndex *map),
         (flags, types, length, offset, direction, levels, visual, map))
FUNCTION(BIDI, void, (void)0, fribidi_shape,
         (FriBidiFlags flags, const FriBidiLevel *levels, const FriBidiStrIndex length, FriBidiArabicProp *properties,
          FriBidiChar *text),
         (flags, levels, length, properties, text))

FUNCTION(QRENCODE, QRcode *, NULL, QRcode_encodeString,
         (const char *text, int version, QRecLevel level, QRencodeMode hint, int sensitivity),
         (text, version, level, hint, sensitivity))
FUNCTION(QRENCODE, void, (void)0, QRcode_free, (QRcode * code), (code))
