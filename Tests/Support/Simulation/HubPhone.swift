import LANHub
import SansIO
import WebRTCClient
import Wire

/// A phone of the ``HubSimulation``, and what it knows of the others.
final class HubPhone {
    let index: Int
    var client: WebRTCClient
    var output = ClientOutput()
    var wake: Timestamp?
    var address: TransportAddress
    var up: Link
    var down: Link
    /// Until when nothing passes.
    var silentUntil = Timestamp.zero
    /// When something came last that shows that the box knows it.
    var lastHeard = Timestamp.zero

    /// How often it has dialled; each time it counts its messages from 0.
    var dial = 0
    var isOver = true
    var hubStream: UInt16?
    var roomStream: UInt16?
    var isRoomOpen = false
    /// Whether the box closed such a channel of it.
    var isRoomClosed = false
    /// The box's name for its last channel `room`.
    var room: RoomConnection?
    /// Whether it is in the room, after its last dial.
    var isIn = false

    /// What it keeps from dial to dial.
    var id: Int?
    var token: String?
    /// The number of the last message it has; nil after it was loaded anew.
    var last: Int?
    /// When it was in the room last and heard of the box, and how often the box had restarted when it dialled for that.
    var lostSince = Timestamp.zero
    var restartsWhenIn = 0
    /// How often the box had restarted when it dialled.
    var restartsWhenDialled = 0
    /// How many messages it has sent to each other phone since it dialled.
    var sent: [Int: Int] = [:]
    /// The last message it has of each other phone: in which dial of that one, and its number there.
    var heard: [Int: (dial: Int, number: Int)] = [:]
    /// Whose messages may have been in the gap it was told of last.
    var mayHaveLost: Set<Int> = []
    /// Texts sent on the channel `room` and come back from there, since it dialled.
    var roomSent = 0
    var roomHeard = 0

    init(_ index: Int, client: consuming WebRTCClient, address: TransportAddress, up: Link, down: Link) {
        self.index = index
        self.client = client
        self.address = address
        self.up = up
        self.down = down
    }

    /// Its connection is over.
    func leave() {
        if isIn { lostSince = lastHeard }
        isOver = true
        isIn = false
        wake = nil
    }

    /// Takes a message of another phone.
    /// - Returns: what is wrong about it.
    func receive(_ number: Int, dial: Int, from sender: Int) -> String? {
        let before = heard[sender]
        heard[sender] = (dial, number)
        // A gap is over with the next message of the same sender.
        let mayBeMissing = mayHaveLost.remove(sender) != nil
        guard let before, before.dial == dial else {
            if let before, before.dial > dial {
                return "message \(number) of dial \(dial) came after dial \(before.dial)"
            }
            // Of former dials the last ones may never have reached the box.
            return number == 0 || mayBeMissing ? nil : "message \(number) is the first of dial \(dial)"
        }
        guard number > before.number else { return "message \(number) came after \(before.number)" }
        return number == before.number + 1 || mayBeMissing ? nil : "message \(number) came next to \(before.number)"
    }

    /// Whether everything that another phone has sent it is here, or it knows that it is not.
    func hasAll(of sender: HubPhone) -> Bool {
        guard let count = sender.sent[index], !mayHaveLost.contains(sender.index) else { return true }
        return heard[sender.index].map { $0 == (sender.dial, count - 1) } ?? false
    }
}
