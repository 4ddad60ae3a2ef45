/// How Kibitz's page names a room to the hub.
enum RoomName {
    /// What `join` says of a link's room: the page makes every name fit for its broker first (kibitz-chat/kibitz
    /// `transport.ts`, `normalizeRoom`), letters small, each run of others than letters and digits a hyphen, none at the ends, 40
    /// characters at most. A secret is told so as well; programs that take the link as it is say it unchanged.
    static func asPageSays(_ name: String) -> String {
        var text: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): text.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.append(byte | 0x20)
            default: if let last = text.last, last != UInt8(ascii: "-") { text.append(UInt8(ascii: "-")) }
            }
        }
        if text.last == UInt8(ascii: "-") { text.removeLast() }
        return String(decoding: text.prefix(40), as: UTF8.self)
    }
}
