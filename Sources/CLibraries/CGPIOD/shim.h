// One small API over libgpiod's two: version 1 (Debian 12) and version 2 (Debian 13) have hardly a function in common.
//
// A line is found by its name on any of the machine's chips, requested, and held until it is released. Functions answer
// -1 with `errno` where something failed. Edges are read from the descriptor by read(2), each an octet string of
// `CGPIOD_EVENT_SIZE`, so that an event loop can read it as any other descriptor.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <gpiod.h>
#include <linux/gpio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Only version 1 has this.
#ifdef GPIOD_LINE_BULK_MAX_LINES
#define CGPIOD_VERSION 1
#else
#define CGPIOD_VERSION 2
#endif

enum CGPIOD_bias { CGPIOD_BIAS_AS_IS, CGPIOD_BIAS_DISABLED, CGPIOD_BIAS_PULL_UP, CGPIOD_BIAS_PULL_DOWN };

// How a line is to be: an output with its first level, or an input that tells of both edges. A low voltage is an active
// level where `active_low` is true; levels and edges are told as active and inactive.
struct CGPIOD_request {
  const char *name;
  const char *consumer;
  bool is_output;
  bool active_low;
  bool initial;
  enum CGPIOD_bias bias;
};

struct CGPIOD_line {
  struct gpiod_chip *chip;
#if CGPIOD_VERSION == 1
  struct gpiod_line *line;
#else
  struct gpiod_line_request *request;
  unsigned int offset;
#endif
};

// linux/gpio.h: version 1 asks for the kernel's first interface, version 2 for its second.
#if CGPIOD_VERSION == 1
enum { CGPIOD_EVENT_SIZE = sizeof(struct gpioevent_data) };
#else
enum { CGPIOD_EVENT_SIZE = sizeof(struct gpio_v2_line_event) };
#endif

// How many edges the kernel keeps for one line until they are read.
enum { CGPIOD_EVENT_QUEUE = 16 };

struct CGPIOD_event {
  uint64_t nanoseconds; // CLOCK_MONOTONIC
  uint32_t sequence;    // counts the line's edges from 1; 0: not counted (version 1)
  bool active;
};

// One edge, from `CGPIOD_EVENT_SIZE` octets that were read.
static inline struct CGPIOD_event CGPIOD_decode_event(const void *octets) {
#if CGPIOD_VERSION == 1
  struct gpioevent_data event;
  memcpy(&event, octets, sizeof event);
  return (struct CGPIOD_event){event.timestamp, 0, event.id == GPIOEVENT_EVENT_RISING_EDGE};
#else
  struct gpio_v2_line_event event;
  memcpy(&event, octets, sizeof event);
  return (struct CGPIOD_event){event.timestamp_ns, event.line_seqno, event.id == GPIO_V2_LINE_EVENT_RISING_EDGE};
#endif
}

// Requests the line from its chip.
static inline int CGPIOD_request_from(struct CGPIOD_line *line, const struct CGPIOD_request *wanted) {
#if CGPIOD_VERSION == 1
  struct gpiod_line_request_config config = {.consumer = wanted->consumer};
  config.request_type =
      wanted->is_output ? GPIOD_LINE_REQUEST_DIRECTION_OUTPUT : GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES;
  if (wanted->active_low) config.flags |= GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW;
  switch (wanted->bias) {
  case CGPIOD_BIAS_AS_IS: break;
  case CGPIOD_BIAS_DISABLED: config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE; break;
  case CGPIOD_BIAS_PULL_UP: config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP; break;
  case CGPIOD_BIAS_PULL_DOWN: config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN; break;
  }
  return gpiod_line_request(line->line, &config, wanted->initial);
#else
  static const enum gpiod_line_bias biases[] = {GPIOD_LINE_BIAS_AS_IS, GPIOD_LINE_BIAS_DISABLED,
                                                GPIOD_LINE_BIAS_PULL_UP, GPIOD_LINE_BIAS_PULL_DOWN};
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  struct gpiod_line_config *lines = gpiod_line_config_new();
  struct gpiod_request_config *request = gpiod_request_config_new();
  if (!settings || !lines || !request) {
    errno = ENOMEM;
  } else if (gpiod_line_settings_set_direction(
                 settings, wanted->is_output ? GPIOD_LINE_DIRECTION_OUTPUT : GPIOD_LINE_DIRECTION_INPUT) == 0 &&
             (wanted->is_output || gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH) == 0) &&
             gpiod_line_settings_set_bias(settings, biases[wanted->bias]) == 0 &&
             gpiod_line_settings_set_output_value(
                 settings, wanted->initial ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE) == 0) {
    gpiod_line_settings_set_active_low(settings, wanted->active_low);
    gpiod_request_config_set_consumer(request, wanted->consumer);
    gpiod_request_config_set_event_buffer_size(request, CGPIOD_EVENT_QUEUE);
    if (gpiod_line_config_add_line_settings(lines, &line->offset, 1, settings) == 0)
      line->request = gpiod_chip_request_lines(line->chip, request, lines);
  }
  int problem = errno;
  gpiod_request_config_free(request);
  gpiod_line_config_free(lines);
  gpiod_line_settings_free(settings);
  errno = problem;
  return line->request ? 0 : -1;
#endif
}

// Looks for the line on one chip: whether it is there.
static inline bool CGPIOD_find_on_chip(struct CGPIOD_line *line, const char *path, const char *name) {
  line->chip = gpiod_chip_open(path);
  if (!line->chip) return false;
#if CGPIOD_VERSION == 1
  line->line = gpiod_chip_find_line(line->chip, name);
  bool found = line->line;
#else
  int offset = gpiod_chip_get_line_offset_from_name(line->chip, name);
  line->offset = (unsigned int)offset;
  bool found = offset >= 0;
#endif
  if (found) return true;
  gpiod_chip_close(line->chip);
  line->chip = NULL;
  errno = ENOENT;
  return false;
}

// Lets a line go; an output stays as it is or not, as its chip likes.
static inline void CGPIOD_release(struct CGPIOD_line *line) {
  if (!line->chip) return;
#if CGPIOD_VERSION == 1
  gpiod_line_release(line->line);
#else
  if (line->request) gpiod_line_request_release(line->request);
#endif
  gpiod_chip_close(line->chip);
  memset(line, 0, sizeof *line);
}

// Finds the line on the chips of /dev. ENOENT: no chip has a line of that name; EACCES: perhaps one has, but it may not be
// opened.
static inline int CGPIOD_find(struct CGPIOD_line *line, const char *name) {
  static const char prefix[] = "gpiochip";
  memset(line, 0, sizeof *line);
  DIR *devices = opendir("/dev");
  if (!devices) return -1;
  int problem = ENOENT;
  bool found = false;
  for (struct dirent *device; !found && (device = readdir(devices));) {
    char path[sizeof "/dev/" + sizeof device->d_name];
    if (strncmp(device->d_name, prefix, sizeof prefix - 1) != 0) continue;
    snprintf(path, sizeof path, "/dev/%s", device->d_name);
    found = CGPIOD_find_on_chip(line, path, name);
    if (!found && (errno == EACCES || errno == EPERM)) problem = EACCES;
  }
  closedir(devices);
  if (found) return 0;
  errno = problem;
  return -1;
}

// Finds the line and requests it. EBUSY: someone else holds it.
static inline int CGPIOD_open(struct CGPIOD_line *line, const struct CGPIOD_request *wanted) {
  if (CGPIOD_find(line, wanted->name) != 0) return -1;
  if (CGPIOD_request_from(line, wanted) == 0) return 0;
  int problem = errno;
  CGPIOD_release(line);
  errno = problem;
  return -1;
}

// The level now: 1 active, 0 inactive.
static inline int CGPIOD_get(struct CGPIOD_line *line) {
#if CGPIOD_VERSION == 1
  return gpiod_line_get_value(line->line);
#else
  return (int)gpiod_line_request_get_value(line->request, line->offset);
#endif
}

static inline int CGPIOD_set(struct CGPIOD_line *line, bool active) {
#if CGPIOD_VERSION == 1
  return gpiod_line_set_value(line->line, active);
#else
  return gpiod_line_request_set_value(line->request, line->offset,
                                      active ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
#endif
}

// What an input's edges are read from; it belongs to the line.
static inline int CGPIOD_descriptor(struct CGPIOD_line *line) {
#if CGPIOD_VERSION == 1
  return gpiod_line_event_get_fd(line->line);
#else
  return gpiod_line_request_get_fd(line->request);
#endif
}

// Finds the line and tells who uses it, a program or the kernel, in `user`; an empty name: nobody.
static inline int CGPIOD_user(const char *name, char *user, size_t size) {
  struct CGPIOD_line line;
  if (CGPIOD_find(&line, name) != 0) return -1;
#if CGPIOD_VERSION == 1
  bool is_used = gpiod_line_is_used(line.line);
  const char *consumer = gpiod_line_consumer(line.line);
#else
  struct gpiod_line_info *info = gpiod_chip_get_line_info(line.chip, line.offset);
  bool is_used = info && gpiod_line_info_is_used(info);
  const char *consumer = info ? gpiod_line_info_get_consumer(info) : NULL;
#endif
  snprintf(user, size, "%s", is_used ? (consumer && *consumer ? consumer : "something unnamed") : "");
#if CGPIOD_VERSION == 2
  gpiod_line_info_free(info);
#endif
  CGPIOD_release(&line);
  return 0;
}
