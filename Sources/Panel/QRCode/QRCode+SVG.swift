extension QRCode {
    /// Draws the code as an SVG document, one unit a module: a white square and one path of all dark modules.
    /// - Parameter quietZone: the light border around the symbol.
    public func svg(quietZone: QuietZone = .standard) -> String {
        let border = quietZone.rawValue
        let side = size + 2 * border
        var path = ""
        for y in 0..<size {
            var x = 0
            while x < size {
                guard isDark(x, y) else {
                    x += 1
                    continue
                }
                var end = x
                while isDark(end, y) { end += 1 }
                path += "M\(x + border) \(y + border)h\(end - x)v1H\(x + border)z"
                x = end
            }
        }
        // crispEdges: without it, antialiasing leaves light seams between the rows.
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <path fill="#fff" d="M0 0h\(side)v\(side)H0z"/><path d="\(path)"/></svg>

            """
    }
}
