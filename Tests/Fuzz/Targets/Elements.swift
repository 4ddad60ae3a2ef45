import IEEE80211
import SAE
import Wire

extension FuzzTarget {
    /// Elements and the bodies of management frames, each read as everything it could be, and written again.
    static let elements = FuzzTarget("elements", longest: 1_024) { input in
        try readElements(input)
        try readSuites(input)
        try readFrame(input)
        try readCommit(input)
    }

    private static func readElements(_ input: [UInt8]) throws {
        let bytes = input.span.bytes
        var reader = ElementReader(bytes)
        var writer = ByteWriter()
        while let element = reader.next() {
            if let extensionID = element.extensionID {
                writer.write(element: extensionID, body: element.body.copied)
            } else {
                writer.write(element: element.id, body: element.body.copied)
            }
        }
        // What was read is the beginning of the input, to the octet.
        try always(input.starts(with: writer.bytes), "elements that are written again are others")
        try always(
            reader.isMalformed || writer.count == input.count,
            "elements end early and nobody says that they are malformed")
        if let ssid = ElementReader.first(.ssid, in: bytes) {
            try always(ssid.byteCount <= maximumElementLength, "an element is longer than its length")
        }
        guard let station = try? StationElements(bytes) else { return }
        try always(!reader.isMalformed, "malformed elements of a station are taken")
        for element in [station.rsn, station.rsnExtension, station.ht, station.vht, station.he] {
            try always((element?.count ?? 0) <= 2 + maximumElementLength, "an element is longer than its length")
        }
    }

    private static func readSuites(_ input: [UInt8]) throws {
        // What is longer than an element can be would be cut.
        guard input.count <= maximumElementLength - 4 else { return }
        if let rsn = try? RSNElement(body: input.span.bytes) {
            let again = try RSNElement(body: rsn.bytes.span.bytes.extracting(droppingFirst: 2))
            try always(again == rsn, "an RSN element that is written again is another")
        }
        if let rsnx = try? RSNXElement(body: input.span.bytes) {
            let again = try RSNXElement(body: rsnx.bytes.span.bytes.extracting(droppingFirst: 2))
            try always(again == rsnx, "an RSN extension element that is written again is another")
        }
    }

    private static func readFrame(_ input: [UInt8]) throws {
        guard let frame = try? ManagementFrame(input.span.bytes) else { return }
        // The HT Control field, which the flag announces, is passed over and never written.
        if !frame.header.flags.contains(.highThroughputControl) {
            var writer = ByteWriter()
            frame.header.write(into: &writer)
            let again = try ManagementFrame(writer.bytes.span.bytes)
            try always(again.header == frame.header, "a header that is written again is another")
        }
        switch frame.header.subtype {
        case .associationRequest, .reassociationRequest:
            let isReassociation = frame.header.subtype == .reassociationRequest
            guard let request = try? AssociationRequest(body: frame.body, isReassociation: isReassociation) else {
                return
            }
            var writer = ByteWriter()
            AssociationRequest.write(
                capabilities: request.capabilities, listenInterval: request.listenInterval,
                currentAccessPoint: request.currentAccessPoint, elements: request.elements.copied, into: &writer)
            try always(frame.body.elementsEqual(writer.bytes), "a request that is written again is another")
            try readElements(request.elements.copied)
        case .associationResponse, .reassociationResponse:
            guard let response = try? AssociationResponse(body: frame.body) else { return }
            try readElements(response.elements.copied)
        case .authentication:
            guard let authentication = try? AuthenticationFrame(body: frame.body) else { return }
            var writer = ByteWriter()
            AuthenticationFrame.write(
                algorithm: authentication.algorithm, transaction: authentication.transaction,
                status: authentication.status, rest: authentication.rest.copied, into: &writer)
            try always(frame.body.elementsEqual(writer.bytes), "an authentication that is written again is another")
            try readCommit(authentication.rest.copied)
        case .deauthentication, .disassociation:
            guard let leave = try? Deauthentication(body: frame.body) else { return }
            var writer = ByteWriter()
            leave.write(into: &writer)
            try always(frame.body.copied.starts(with: writer.bytes), "a reason that is written again is another")
        case .action:
            guard let query = try? SAQuery(body: frame.body) else { return }
            var writer = ByteWriter()
            query.write(into: &writer)
            try always(frame.body.copied.starts(with: writer.bytes), "an SA Query that is written again is another")
        default: break
        }
    }

    private static func readCommit(_ input: [UInt8]) throws {
        let bytes = input.span.bytes
        for method in SAEMethod.allCases {
            for tokenLength in [0, 32] {
                guard let commit = SAECommitBody(bytes, method: method, tokenLength: tokenLength),
                    commit.group == SAECommitBody.group
                else { continue }
                try always(commit.scalar.byteCount == 32 && commit.element.byteCount == 64, "a share of another size")
                try always(commit.rejectedGroups.byteCount % 2 == 0, "half a group")
                try always(
                    method == .hashToElement || commit.token.byteCount == tokenLength, "a token of another length")
            }
        }
        if let confirm = SAEConfirmBody(bytes) {
            var writer = ByteWriter()
            confirm.write(into: &writer)
            try always(input.starts(with: writer.bytes), "a confirm that is written again is another")
        }
    }
}
