import CLinux
import Glibc
public import Wire

/// Where a datagram goes, and which bytes it has.
public struct UDPDatagram: Sendable {
    /// Where to, of the socket's family.
    public var destination: TransportAddress
    /// Which of the machine's addresses it leaves from; nil for a socket bound to one.
    public var source: IPAddress?
    /// Its bytes, of those that were written together.
    public var range: Range<Int>

    /// Makes a datagram.
    public init(to destination: TransportAddress, from source: IPAddress?, range: Range<Int>) {
        self.destination = destination
        self.source = source
        self.range = range
    }
}

/// What came of sending many datagrams.
public struct UDPSendCounts: Hashable, Sendable {
    /// The kernel has them.
    public var sent = 0
    /// The socket's buffer was full; they are dropped, as a router would.
    public var full = 0
    /// The kernel refused them: too big, no route, forbidden by a firewall.
    public var refused = 0

    /// None.
    public init() {}
}

/// The memory in which datagrams are described to sendmmsg(2), set aside once.
final class SendBatch {
    /// Datagrams handed over by one system call.
    static let capacity = 64

    let messages: UnsafeMutablePointer<CLinux_mmsghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutablePointer<sockaddr_storage>
    private let controls: UnsafeMutableRawPointer

    init() {
        messages = .allocate(capacity: Self.capacity)
        messages.initialize(repeating: CLinux_mmsghdr(), count: Self.capacity)
        vectors = .allocate(capacity: Self.capacity)
        vectors.initialize(repeating: iovec(), count: Self.capacity)
        names = .allocate(capacity: Self.capacity)
        names.initialize(repeating: sockaddr_storage(), count: Self.capacity)
        let size = Self.capacity * UDPSocket.controlCapacity
        controls = .allocate(byteCount: size, alignment: 8)
        controls.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        names.deallocate()
        controls.deallocate()
    }

    /// Describes a datagram at a place of the batch.
    func set(_ place: Int, _ datagram: UDPDatagram, _ bytes: UnsafeRawBufferPointer) {
        // The kernel does not write to what it sends.
        let run = UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(rebasing: bytes[datagram.range]))
        vectors[place] = iovec(iov_base: run.baseAddress, iov_len: run.count)
        let length = UDPSocket.write(datagram.destination, to: names + place)
        var header = msghdr(
            msg_name: names + place, msg_namelen: length, msg_iov: vectors + place, msg_iovlen: 1, msg_control: nil,
            msg_controllen: 0, msg_flags: 0)
        if let source = datagram.source {
            let control = controls + place * UDPSocket.controlCapacity
            header.msg_control = control
            header.msg_controllen = UDPSocket.writeControl(source, to: control)
        }
        messages[place] = CLinux_mmsghdr(msg_hdr: header, msg_len: 0)
    }
}

extension UDPSocket {
    /// Sends many datagrams, as many as can be with one system call.
    /// - Parameters:
    ///   - bytes: all that was written.
    ///   - count: how many datagrams.
    ///   - datagram: describes each.
    public func send(
        _ bytes: UnsafeRawBufferPointer, count: Int, _ datagram: (Int) -> UDPDatagram
    ) -> UDPSendCounts {
        var counts = UDPSendCounts()
        var first = 0
        while first < count {
            let size = min(count - first, SendBatch.capacity)
            for place in 0..<size { batch.set(place, datagram(first + place), bytes) }
            var done = 0
            while done < size {
                let sent = Int(CLinux_sendmmsg(descriptor, batch.messages + done, UInt32(size - done), 0))
                if sent > 0 {
                    counts.sent += sent
                    done += sent
                    continue
                }
                switch errno {
                case EINTR: continue
                case EAGAIN, ENOBUFS, ENOMEM:
                    counts.full += count - first - done
                    return counts
                default:
                    // The error is of the first that was not sent; those behind it may do.
                    counts.refused += 1
                    done += 1
                }
            }
            first += size
        }
        return counts
    }
}
