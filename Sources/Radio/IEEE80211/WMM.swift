import Wire

/// The vendor-specific elements of WMM, the Wi-Fi Alliance's form of the standard's priorities (WMM specification 1.2).
enum WMM {
    /// OUI, type and subtype 0: the information element of a station.
    static let information: [UInt8] = [0x00, 0x50, 0xF2, 0x02, 0x00]
    /// OUI, type and subtype 1: the parameter element of an access point.
    static let parameters: [UInt8] = [0x00, 0x50, 0xF2, 0x02, 0x01]

    /// Appends the parameter element: how stations of the BSS take turns, by the values of IEEE 802.11-2020,
    /// Table 9-155.
    static func writeParameters(hasUAPSD: Bool, into writer: inout ByteWriter) {
        var body = ByteWriter(capacity: 24)
        body.write(bytes: parameters)
        body.write(UInt8(1))
        body.write(UInt8(hasUAPSD ? 0x80 : 0))
        body.write(UInt8(0))
        // For each access category: slots to wait and the category, the contention window's exponents (the lower one
        // in the low four bits), and the transmit opportunity in units of 32 microseconds.
        let categories: [(wait: UInt8, windows: UInt8, opportunity: UInt16)] = [
            (0x03, 0xA4, 0), (0x27, 0xA4, 0), (0x42, 0x43, 94), (0x62, 0x32, 47),
        ]
        for category in categories {
            body.write(category.wait)
            body.write(category.windows)
            body.write(little: category.opportunity)
        }
        writer.write(element: .vendor, body: body.bytes)
    }
}
