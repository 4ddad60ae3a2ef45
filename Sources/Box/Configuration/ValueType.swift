import Wire

/// What a setting takes: how it is read, how it is written, and how it is named.
struct ValueType<Value: Sendable>: Sendable {
    /// Names the type in words that follow "takes" and "is not".
    let words: String
    /// Reads a value; nil when the text is not one.
    let parse: @Sendable (String) -> Value?
    /// Writes a value so that `parse` reads it.
    let format: @Sendable (Value) -> String

    /// Why a value that `parse` did not take is refused.
    func refusal(of given: GivenValue) -> String {
        switch given {
        case .scalar(let text): "\(shown(text)) is not \(words)"
        case .list: "a list is not \(words)"
        }
    }
}

extension ValueType<Bool> {
    static let boolean = ValueType(
        words: "true or false", parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, format: { "\($0)" })
}

extension ValueType<UInt16> {
    static let port = ValueType(
        words: "a port (1 to 65535)", parse: { decimal($0, in: 1...65535).map { UInt16($0) } }, format: { "\($0)" })
}

extension ValueType<UInt16?> {
    static let portOrAuto = ValueType(
        words: "a port (1 to 65535) or auto",
        parse: { $0 == "auto" ? .some(nil) : decimal($0, in: 1...65535).map { UInt16($0) } },
        format: { $0.map { "\($0)" } ?? "auto" })
}

extension ValueType<ClosedRange<UInt16>> {
    static let portRange = ValueType(
        words: "a range of ports (1024 to 65535) such as 49152-65535",
        parse: { text in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let first = decimal(ends[0], in: 1024...65535),
                let last = decimal(ends[1], in: 1024...65535), first <= last
            else { return nil }
            return UInt16(first)...UInt16(last)
        },
        format: { "\($0.lowerBound)-\($0.upperBound)" })
}

extension ValueType<Int> {
    static func integer(_ range: ClosedRange<Int>) -> ValueType {
        ValueType(
            words: "a number (\(range.lowerBound) to \(range.upperBound))", parse: { decimal($0, in: range) },
            format: { "\($0)" })
    }
}

extension ValueType<Duration> {
    static func seconds(_ range: ClosedRange<Int>) -> ValueType {
        ValueType(
            words: "a number of seconds (\(range.lowerBound) to \(range.upperBound))",
            parse: { decimal($0, in: range).map { .seconds($0) } }, format: { "\($0.components.seconds)" })
    }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable {
    /// One of an enumeration's names.
    static var choice: ValueType {
        ValueType(
            words: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))", parse: { Value(rawValue: $0) },
            format: { $0.rawValue })
    }
}

extension ValueType<IPAddress> {
    static let ipv4Address = ValueType(
        words: "an IPv4 address of a machine, such as 192.168.1.5",
        parse: { text in
            // "This network" (RFC 1122, section 3.2.1.3), multicast and reserved addresses are nobody's own.
            guard let address = IPAddress(ipv4: text), case .v4(let value) = address, value >> 24 != 0, value >> 28 < 14
            else { return nil }
            return address
        },
        format: \.description)
}

extension ValueType<String> {
    static let displayName = ValueType(
        words: "a name of 1 to 32 characters (128 bytes) without control characters",
        parse: { text in
            let controls = text.unicodeScalars.contains {
                $0.properties.generalCategory == .control || $0.properties.generalCategory == .lineSeparator
                    || $0.properties.generalCategory == .paragraphSeparator
            }
            let isBlank = text.allSatisfy(\.isWhitespace)
            return !isBlank && text.count <= 32 && text.utf8.count <= 128 && !controls ? text : nil
        }, format: { $0 })

    /// A host name (RFC 1123, section 2.1); its last label is not a number, since that would be an address.
    static let dnsName = ValueType(
        words: "a DNS name such as box.example.org",
        parse: { text in
            let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let areLabels = labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
            guard areLabels, text.utf8.count <= 253, labels.last?.allSatisfy(isDigit) == false else { return nil }
            return text.lowercased()
        }, format: { $0 })

    static let apiKey = ValueType(
        words: "a word of 1 to 64 letters, digits, - and _",
        parse: { text in
            (1...64).contains(text.utf8.count)
                && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
                ? text : nil
        }, format: { $0 })

    /// A path of a URL with no escapes, no empty and no dot segments; it is read with or without its last slash.
    static let urlPath = ValueType(
        words: "a path such as / or /signal/",
        parse: { text in
            guard text.hasPrefix("/"), text.utf8.count <= 128 else { return nil }
            let path = text.hasSuffix("/") ? text : text + "/"
            let segments = path.dropFirst().dropLast().utf8.split(
                separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let areSegments = segments.allSatisfy { segment in
                !segment.isEmpty && segment.first != UInt8(ascii: ".")
                    && segment.allSatisfy { isAlphanumeric($0) || "-_.~".utf8.contains($0) }
            }
            return path == "/" || areSegments ? path : nil
        }, format: { $0 })

    /// Where a page is: scheme, host, maybe a port and a path; what follows is the link's own.
    static let pageURL = ValueType(
        words: "the address of a page such as https://kibitz.chat",
        parse: { text in
            let rest =
                text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
            guard text.utf8.count <= 256, let first = rest.utf8.first, isAlphanumeric(first) || first == 0x5B,
                rest.utf8.allSatisfy({ isAlphanumeric($0) || "-._~:/[]@!$&'()*+;=%".utf8.contains($0) })
            else { return nil }
            return text
        }, format: { $0 })

    /// The form of names that Debian's adduser accepts.
    static let groupName = ValueType(
        words: "the name of a group: 1 to 32 small letters, digits, - and _",
        parse: { text in
            guard let first = text.utf8.first, text.utf8.count <= 32, !isDigit(first), first != UInt8(ascii: "-"),
                text.utf8.allSatisfy({ (isAlphanumeric($0) && !isCapital($0)) || "-_".utf8.contains($0) })
            else { return nil }
            return text
        }, format: { $0 })
}

extension ValueType<String> {
    /// The part of an SSID that the owner chooses.
    static let networkName = ValueType(
        words: "a name of 1 to \(BoxConfiguration.WiFi.maximumNameLength) bytes without control characters",
        parse: { text in
            let fits = text.utf8.count <= BoxConfiguration.WiFi.maximumNameLength
            return fits ? displayName.parse(text) : nil
        }, format: { $0 })
}

extension ValueType<Int?> {
    static let channelOrAuto = ValueType(
        words: "auto or the number of a channel (1 to 13, 36 to 64, 100 to 144, 149 to 177)",
        parse: { text in
            if text == "auto" { return .some(nil) }
            guard let number = decimal(text, in: 1...177), BoxConfiguration.WiFi.channels.contains(number) else {
                return nil
            }
            return number
        },
        format: { $0.map { "\($0)" } ?? "auto" })
}

extension ValueType<IPNetwork?> {
    /// A network for phones: of 256 addresses, from the ranges for private use (RFC 1918).
    static let privateNetworkOrAuto = ValueType(
        words: "auto or a private network such as 10.77.0.0/24",
        parse: { text in
            if text == "auto" { return .some(nil) }
            guard text.hasSuffix("/24"), let base = IPAddress(ipv4: String(text.dropLast(3))), base.isPrivate,
                case .v4(let value) = base, value & 0xff == 0
            else { return nil }
            return IPNetwork(base, prefixLength: 24)
        },
        format: { $0?.description ?? "auto" })
}

extension ValueType<String?> {
    /// A country by its code; empty text is none.
    static let country = ValueType(
        words: "the two letters of a country (ISO 3166), such as DE, GB or US",
        parse: { text in
            if text.isEmpty { return .some(nil) }
            let code = text.uppercased()
            guard CountryCodes.contains(code) else { return nil }
            return code
        },
        format: { $0 ?? "" })

    /// A network interface's name, as the kernel takes it (dev_valid_name in net/core/dev.c).
    static let interfaceOrAuto = ValueType(
        words: "auto or the name of a network interface such as wlan0",
        parse: { text in
            if text == "auto" { return .some(nil) }
            guard (1...15).contains(text.utf8.count), text != ".", text != "..",
                text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/:".utf8.contains($0) })
            else { return nil }
            return text
        },
        format: { $0 ?? "auto" })

    /// A path; empty text is none. It is read as the process sees it: a relative one from the working directory.
    static func path(of kind: FileKind) -> ValueType {
        let noun =
            switch kind {
            case .file: "file"
            case .directory: "directory"
            }
        return ValueType(
            words: "the path of a \(noun)",
            // 4095 bytes are the most that Linux takes (PATH_MAX, with the terminating null).
            parse: { $0.utf8.count <= 4095 && !$0.utf8.contains(0) ? .some($0.isEmpty ? nil : $0) : nil },
            format: { $0 ?? "" })
    }
}

/// Reads an unsigned decimal number, as people write it: digits only, no sign, no leading zero.
func decimal(_ text: some StringProtocol, in range: ClosedRange<Int>) -> Int? {
    guard text.utf8.allSatisfy(isDigit), text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0"),
        let value = Int(text), range.contains(value)
    else { return nil }
    return value
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
private func isCapital(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
private func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isCapital(byte & 0xDF) }
