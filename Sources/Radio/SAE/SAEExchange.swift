import SansIO
import WiFiCrypto
import Wire

/// A station's exchanges are told apart by its address and how it found the password element, so that a forged commit of the
/// other kind cannot end one.
struct SAEExchangeID: Hashable {
    let address: MACAddress
    let method: SAEMethod
}

/// One exchange, from its first commit on (IEEE 802.11-2020, 12.4.8.6). Of a protocol instance's four states a responder
/// needs two: without an exchange it is in Nothing, and Confirmed lasts no time, since the confirm that leads there is also
/// the one it waits for.
struct SAEExchange: Sendable {
    enum State: Sendable {
        /// We have answered with our commit.
        case committed(SAECommitted)
        /// The station has proven that it knows the password.
        case accepted(SAEAccepted)
    }

    /// Counts exchanges, so that the oldest is known.
    let number: UInt64
    let expires: Timestamp
    var state: State
}

/// An exchange whose confirm is still to come.
struct SAECommitted: Sendable {
    let secrets: SAESecrets
    /// The commits that came from the address, the latest last. All are answered with the same commit of ours; the confirm
    /// tells which of them is the station's.
    var peers: [Peer]
    /// How often our commit was sent again (Sync).
    var retransmissions = 0

    struct Peer: Sendable {
        let share: SAEShare
        /// The rejected groups as the commit listed them.
        let salt: [UInt8]
        /// Computed when a confirm comes: a commit that none follows, such as a flood's, costs no more than our answer.
        var keys: SAEKeys?
    }
}

/// An exchange that is done. It stays for a while, since the station may not have heard our confirm.
struct SAEAccepted: Sendable {
    let keys: SAEKeys
    /// The last confirm that verified, and our answer.
    var confirm: SAEConfirmBody
    var answer: SAEConfirmBody
    /// How often our confirm was sent again (Sync).
    var retransmissions = 0
}
