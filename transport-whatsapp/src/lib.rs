//! WhatsApp as a transport of Seatport.
