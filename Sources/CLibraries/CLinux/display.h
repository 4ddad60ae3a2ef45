// The kernel's interface to screens: the framebuffer's requests, and of the direct rendering manager what a picture in
// memory needs (include/uapi/drm/drm_mode.h, whose header not every system has).
#pragma once
#include <linux/fb.h>
#include <linux/ioctl.h>
#include <linux/kd.h>
#include <linux/types.h>

struct CLinux_drm_resources {
  __u64 fb_id_ptr, crtc_id_ptr, connector_id_ptr, encoder_id_ptr;
  __u32 count_fbs, count_crtcs, count_connectors, count_encoders;
  __u32 min_width, max_width, min_height, max_height;
};

struct CLinux_drm_mode {
  __u32 clock;
  __u16 hdisplay, hsync_start, hsync_end, htotal, hskew;
  __u16 vdisplay, vsync_start, vsync_end, vtotal, vscan;
  __u32 vrefresh, flags, type;
  char name[32];
};

struct CLinux_drm_crtc {
  __u64 set_connectors_ptr;
  __u32 count_connectors, crtc_id, fb_id, x, y, gamma_size, mode_valid;
  struct CLinux_drm_mode mode;
};

struct CLinux_drm_encoder {
  __u32 encoder_id, encoder_type, crtc_id, possible_crtcs, possible_clones;
};

struct CLinux_drm_connector {
  __u64 encoders_ptr, modes_ptr, props_ptr, prop_values_ptr;
  __u32 count_modes, count_props, count_encoders;
  __u32 encoder_id, connector_id, connector_type, connector_type_id;
  __u32 connection, mm_width, mm_height, subpixel, pad;
};

struct CLinux_drm_buffer {
  __u32 height, width, bpp, flags, handle, pitch;
  __u64 size;
};

struct CLinux_drm_map {
  __u32 handle, pad;
  __u64 offset;
};

struct CLinux_drm_framebuffer {
  __u32 fb_id, width, height, pitch, bpp, depth, handle;
};

struct CLinux_drm_dirty {
  __u32 fb_id, flags, color, num_clips;
  __u64 clips_ptr;
};

enum CLinux_display_request {
  CLinux_FB_VARIABLE = FBIOGET_VSCREENINFO,
  CLinux_FB_FIXED = FBIOGET_FSCREENINFO,
  CLinux_DRM_RESOURCES = _IOWR('d', 0xA0, struct CLinux_drm_resources),
  CLinux_DRM_GET_CRTC = _IOWR('d', 0xA1, struct CLinux_drm_crtc),
  CLinux_DRM_SET_CRTC = _IOWR('d', 0xA2, struct CLinux_drm_crtc),
  CLinux_DRM_ENCODER = _IOWR('d', 0xA6, struct CLinux_drm_encoder),
  CLinux_DRM_CONNECTOR = _IOWR('d', 0xA7, struct CLinux_drm_connector),
  CLinux_DRM_ADD_FRAMEBUFFER = _IOWR('d', 0xAE, struct CLinux_drm_framebuffer),
  CLinux_DRM_DIRTY = _IOWR('d', 0xB1, struct CLinux_drm_dirty),
  CLinux_DRM_CREATE_BUFFER = _IOWR('d', 0xB2, struct CLinux_drm_buffer),
  CLinux_DRM_MAP_BUFFER = _IOWR('d', 0xB3, struct CLinux_drm_map),
};
