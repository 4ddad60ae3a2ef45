import DataChannel
import SansIO
import WebRTCClient
import WebRTCDirect
import Wire

/// A channel of a phone and both directions of its traffic.
struct PhoneChannel {
    let parameters: DataChannelParameters
    var toBox: Traffic
    var toPhone: Traffic
    /// What the box received, and what the phone did.
    var atBox: Receipt
    var atPhone: Receipt
    /// The number it got.
    var stream: UInt16?
    var isOpen = false
    /// Whether it was closed on purpose; what was under way then may be lost.
    var isClosed = false
    /// Whether the box has told that it is open, and that it is gone.
    var isOpenAtBox = false

    init(_ parameters: DataChannelParameters, toBox: Traffic, toPhone: Traffic) {
        self.parameters = parameters
        self.toBox = toBox
        self.toPhone = toPhone
        atBox = Receipt(toBox, parameters)
        atPhone = Receipt(toPhone, parameters)
    }
}

/// A phone of the simulation.
final class Phone {
    let index: Int
    var client: WebRTCClient
    var address: TransportAddress
    var output = ClientOutput()
    var wake: Timestamp?
    var channels: [PhoneChannel]
    var up: Link
    var down: Link
    /// Until when nothing passes.
    var silentUntil = Timestamp.zero
    /// Whether its connection may die: it falls silent, or its link is bad.
    var isDoomed = false
    /// The box's name for it, once it is connected there.
    var id: PeerID?
    var isConnected = false
    /// Why the phone says it is over.
    var end: ClientEnd?
    /// Why the box says it is over.
    var boxEnd: DisconnectReason?

    init(
        _ index: Int, client: consuming WebRTCClient, address: TransportAddress, channels: [PhoneChannel], up: Link,
        down: Link
    ) {
        self.index = index
        self.client = client
        self.address = address
        self.channels = channels
        self.up = up
        self.down = down
    }

    /// Whether either side says that the connection is dead.
    var isDead: Bool { end != nil || boxEnd != nil }

    /// Whether both sides know that it is dead, or the box never knew it.
    var isOverAtBothEnds: Bool { end != nil && (boxEnd != nil || id == nil) }

    /// What is yet to come, in words.
    var lack: String {
        if !isConnected { return "not connected" }
        return channels.indices.map {
            let channel = channels[$0]
            return "channel \($0) open \(channel.isOpen) \(channel.isOpenAtBox), to the box "
                + "\(channel.toBox.sent) of \(channel.toBox.sizes.count) sent, \(channel.atBox.missing(of: channel.toBox.sent)) missing, "
                + "to the phone \(channel.toPhone.sent) of \(channel.toPhone.sizes.count), "
                + "\(channel.atPhone.missing(of: channel.toPhone.sent)) missing"
        }.joined(separator: "; ")
    }

    /// Whether everything sent has arrived.
    var isComplete: Bool {
        channels.allSatisfy {
            $0.isClosed
                || $0.toBox.sent == $0.toBox.sizes.count && $0.toPhone.sent == $0.toPhone.sizes.count
                    && $0.atBox.missing(of: $0.toBox.sent) == 0 && $0.atPhone.missing(of: $0.toPhone.sent) == 0
        }
    }
}
