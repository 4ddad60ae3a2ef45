// libnl's sockets and the numbers of nl80211 (linux/nl80211.h).
#pragma once
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
