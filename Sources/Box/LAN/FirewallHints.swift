import BoxNetwork
import CLinux
import Glibc
import Logging
import NIOCore
import Netlink

extension Firewall {
    /// Octets of the longest datagram that announces a change: the kernel makes them of 8 KB at most (`NLMSG_GOODSIZE`,
    /// linux/netlink.h).
    private static let announcementCapacity = 16 * 1024

    /// When to look at the rules: after a change of the box's table, which the kernel announces, and every now and then
    /// besides, also where the kernel has no announcements for this process. Hints that are not taken become one.
    ///
    /// Changes of other tables are none of them, so a program that makes many costs the reading of them.
    /// - Parameters:
    ///   - interval: from one look without a reason to the next.
    ///   - eventLoop: a loop of a `MultiThreadedEventLoopGroup`; announcements are read on it.
    static func hints(
        every interval: TimeAmount, on eventLoop: any EventLoop, logger: Logger
    ) -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { hint in
            let timer = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in hint.yield() }
            let socket: Int32
            do throws(NetworkError) {
                socket = try announcementSocket(
                    NETLINK_NETFILTER, groups: 1 << (RuleMessages.group - 1), to: "watch the firewall of the Wi-Fi")
            } catch {
                logger.info("changes of the firewall are only looked for: \(error)")
                hint.onTermination = { _ in timer.cancel() }
                return
            }
            let reader = NIOLoopBoundBox<DescriptorReader?>.makeBoxSendingValue(nil, eventLoop: eventLoop)
            eventLoop.execute {
                reader.value = DescriptorReader(
                    socket, capacity: announcementCapacity, on: eventLoop,
                    onRead: { datagram in
                        let isOurs = datagram.withUnsafeReadableBytes {
                            RuleMessages.concern(table: table, RawSpan(_unsafeBytes: $0))
                        }
                        if isOurs { hint.yield() }
                    },
                    // The kernel tells of announcements that found no room (ENOBUFS).
                    onFailure: { _ in hint.yield() })
            }
            hint.onTermination = { _ in
                timer.cancel()
                eventLoop.execute {
                    reader.value?.close()
                    reader.value = nil
                    close(socket)
                }
            }
        }
    }
}
